"""What each provider's events look like, once it is proved that they are the provider's."""

import re
from datetime import UTC, datetime
from typing import Any

from channels.errors import MalformedRequest
from channels.types import ChannelData, VerifiedDelivery

__all__ = ["payables_delivery", "stripe_delivery"]

_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def stripe_delivery(channel: ChannelData, payload: dict[str, Any]) -> VerifiedDelivery:
    """Read an event of Stripe's. Raises MalformedRequest."""
    event_id, kind = _words(payload.get("id"), payload.get("type"))
    created, livemode, account = payload.get("created"), payload.get("livemode"), payload.get("account") or ""
    if type(created) is not int or not 0 <= created < 2**33:
        raise MalformedRequest("The event's time is not one.")
    if (
        type(livemode) is not bool
        or not isinstance(account, str)
        or (account and not _WORD.fullmatch(account))
    ):
        raise MalformedRequest("The event's mode or account is not one.")
    return VerifiedDelivery(
        channel=channel,
        event_id=event_id,
        type=kind,
        created=datetime.fromtimestamp(created, UTC),
        payload=payload,
        livemode=livemode,
        account=account,
        about=_about(payload),
    )


def _about(payload: dict[str, Any]) -> str:
    """A page and a payment are told of under their own ids, a refund or a dispute under its payment's."""
    data = payload.get("data")
    thing = data.get("object") if isinstance(data, dict) else None
    if not isinstance(thing, dict):
        return ""
    own, of_payment = thing.get("id"), thing.get("payment_intent")
    is_whole = thing.get("object") in ("payment_intent", "checkout.session")
    found = own if is_whole or not isinstance(of_payment, str) else of_payment
    return found if isinstance(found, str) and _WORD.fullmatch(found) else ""


def payables_delivery(channel: ChannelData, payload: dict[str, Any]) -> VerifiedDelivery:
    """Read an event of a payables API, which exists for tests only. Raises MalformedRequest.

    It is about the payment of our reference, or about a payee, who has nothing that is waited for.
    """
    event_id, kind = _words(payload.get("id"), payload.get("type"))
    created, data = payload.get("created"), payload.get("data")
    if not isinstance(created, str) or _MOMENT.fullmatch(created) is None:
        raise MalformedRequest("The event's time is not one.")
    try:
        moment = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise MalformedRequest("The event's time is not one.") from None
    reference = data.get("ref_code") if isinstance(data, dict) else None
    return VerifiedDelivery(
        channel=channel,
        event_id=event_id,
        type=kind,
        created=moment,
        payload=payload,
        livemode=False,
        account="",
        about=reference if isinstance(reference, str) and _WORD.fullmatch(reference) else "",
    )


def _words(event_id: object, kind: object) -> tuple[str, str]:
    if not (isinstance(event_id, str) and isinstance(kind, str)):
        raise MalformedRequest("The event's id or type is not one.")
    if not (_WORD.fullmatch(event_id) and _WORD.fullmatch(kind)):
        raise MalformedRequest("The event's id or type is not one.")
    return event_id, kind
