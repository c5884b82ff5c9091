"""What comes in from providers, and the endpoints that are told: the only way to write either."""

import base64
import json
import os
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from uuid import UUID

from django.db import transaction

from channels.types import VerifiedDelivery
from core import clock
from core.api.errors import InvalidField, MalformedRequest
from core.cases import open_case
from core.failpoints import failpoint
from core.history import SYSTEM, begin, move
from core.nudges import nudge
from core.rows import insert_new, insert_rows
from core.transactions import requires_transaction
from events import locks
from events.errors import EndpointDisabled
from events.facts import endpoint_data
from events.models import InboxWork, WebhookEndpoint, WebhookInbox
from events.replays import MOST_AT_ONCE, replay_stopped, replay_work
from events.subscriptions import subscribers
from events.targets import read_target
from events.types import EndpointData, IssuedEndpoint
from merchants.selectors import get_merchant

__all__ = [
    "MOST_AT_ONCE",
    "create_endpoint",
    "disable_endpoint",
    "pause_endpoint",
    "receive_webhook",
    "replay_stopped",
    "replay_work",
    "resume_endpoint",
    "rotate_endpoint_secret",
]

_EVENT_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_KEPT_HEADER = re.compile(r"(?i)content-type|user-agent|webhook-(id|timestamp)|[a-z0-9-]*signature")
_LONGEST_HEADER = 1000
_SECRET_BYTES = 32
_QUARANTINE_DUE = timedelta(hours=24)


@requires_transaction
def receive_webhook(*, delivery: VerifiedDelivery, raw: bytes, headers: Mapping[str, str]) -> bool:
    """Store a verified delivery with one piece of work per subscriber; return False for a known event.

    An event of the wrong mode is stored, quarantined and shown as a case, and nobody acts on it. Raises
    MalformedRequest when the provider's event id or type cannot be stored.
    """
    row = _inbox_row(delivery, raw, headers)
    failpoint("inbox.storing")
    failpoint("inbox.receiving")
    # The unique key decides: of many at once, one insert stays and the others find that theirs did not.
    if not insert_new(row):
        return False
    if not delivery.fits_mode:
        _quarantine(row, delivery)
        return True
    names = subscribers(row.provider, row.type)
    insert_rows(
        [
            InboxWork(merchant_id=row.merchant_id, inbox=row, subscriber=name, due_at=row.received_at)
            for name in names
        ]
    )
    if names:
        transaction.on_commit(lambda: failpoint("inbox.committed"))
        nudge("inbox")
    return True


@requires_transaction
def create_endpoint(*, merchant_id: UUID, url: str, event_types: Collection[str] = ("*",)) -> IssuedEndpoint:
    """Have a store told about events of these types ("*" for all); the secret is shown this once.

    The name in the URL is resolved and judged at each connection, not here. Raises UrlNotAllowed,
    InvalidField, NotFound.
    """
    merchant = get_merchant(merchant_id=merchant_id)
    read_target(url, mode=merchant.mode)
    secret = _new_secret()
    row = WebhookEndpoint(
        merchant_id=merchant_id,
        mode=merchant.mode,
        url=url,
        event_types=_read_event_types(event_types),
        secrets=[{"secret": secret, "expires_at": None}],
        created_at=clock.now(),
    )
    row.save(force_insert=True)
    begin(row, why="created")
    return IssuedEndpoint(endpoint=endpoint_data(row), secret=secret)


@requires_transaction
def rotate_endpoint_secret(*, merchant_id: UUID, endpoint_id: UUID, overlap: timedelta) -> IssuedEndpoint:
    """Sign with a new secret, and for `overlap` with the old one as well. Raises NotFound, EndpointDisabled.

    At most two secrets are in use: rotating again within the overlap ends the oldest at once.
    """
    row = _usable(merchant_id, endpoint_id)
    secret = _new_secret()
    outgoing = row.secrets[0] | {"expires_at": (clock.now() + overlap).isoformat()}
    row.secrets = [{"secret": secret, "expires_at": None}, outgoing]
    row.save(update_fields=["secrets"])
    return IssuedEndpoint(endpoint=endpoint_data(row), secret=secret)


@requires_transaction
def pause_endpoint(*, merchant_id: UUID, endpoint_id: UUID, why: str, by: str = SYSTEM) -> EndpointData:
    """Stop telling an endpoint and keep its backlog. Raises NotFound, EndpointDisabled."""
    row = _usable(merchant_id, endpoint_id)
    if row.status == "ENABLED":
        move(row, row.to_paused, why=why, by=by)
    return endpoint_data(row)


@requires_transaction
def resume_endpoint(*, merchant_id: UUID, endpoint_id: UUID, why: str, by: str = SYSTEM) -> EndpointData:
    """Tell an endpoint again, its backlog first. Raises NotFound, EndpointDisabled."""
    row = _usable(merchant_id, endpoint_id)
    if row.status == "PAUSED":
        move(row, row.to_enabled, why=why, by=by)
        nudge("deliveries")
    return endpoint_data(row)


@requires_transaction
def disable_endpoint(*, merchant_id: UUID, endpoint_id: UUID, why: str, by: str = SYSTEM) -> EndpointData:
    """Never tell an endpoint again; the drain of deliveries cancels what waits. Raises NotFound."""
    row = locks.lock_endpoint(merchant_id=merchant_id, endpoint_id=endpoint_id)
    if row.status != "DISABLED":
        move(row, row.to_disabled, why=why, by=by)
        nudge("deliveries")
    return endpoint_data(row)


def _inbox_row(delivery: VerifiedDelivery, raw: bytes, headers: Mapping[str, str]) -> WebhookInbox:
    for value, longest in ((delivery.event_id, 255), (delivery.type, 128), (delivery.account, 128)):
        if len(value) > longest or "\x00" in value:
            raise MalformedRequest("The event's id, type or account cannot be stored.")
    if not delivery.event_id or not delivery.type:
        raise MalformedRequest("The event has no id or no type.")
    return WebhookInbox(
        merchant_id=delivery.channel.merchant_id,
        channel_id=delivery.channel.id,
        provider=delivery.channel.provider,
        provider_event_id=delivery.event_id,
        type=delivery.type,
        account=delivery.account,
        about=delivery.about,
        raw=raw,
        payload=_payload_beside(raw, delivery.payload),
        headers=_kept(headers),
        occurred_at=delivery.created,
        received_at=clock.now(),
    )


def _payload_beside(raw: bytes, payload: Mapping[str, object]) -> bytes | None:
    try:
        if json.loads(raw) == payload:
            return None
    except ValueError:
        # Not every provider sends JSON; then what its adapter read is kept beside the bytes.
        return json.dumps(payload).encode()
    return json.dumps(payload).encode()


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    # An allow-list: a header that nobody thought of may hold a credential.
    return {
        name.lower(): value.replace("\x00", "")[:_LONGEST_HEADER]
        for name, value in headers.items()
        if _KEPT_HEADER.fullmatch(name)
    }


def _quarantine(row: WebhookInbox, delivery: VerifiedDelivery) -> None:
    sent = "live" if delivery.livemode else "test"
    reason = f"a {sent} event came to a channel in {delivery.channel.mode} mode"
    move(row, row.to_quarantined, why=reason)
    open_case(
        kind="webhook_quarantined",
        subject=f"channel:{row.channel_id}",
        summary=f"{delivery.channel.name}: {reason}",
        due_in=_QUARANTINE_DUE,
        detail={"inbox": str(row.pk), "event": row.provider_event_id, "type": row.type},
        merchant_id=row.merchant_id,
    )


def _usable(merchant_id: UUID, endpoint_id: UUID) -> WebhookEndpoint:
    row = locks.lock_endpoint(merchant_id=merchant_id, endpoint_id=endpoint_id)
    if row.status == "DISABLED":
        raise EndpointDisabled()
    return row


def _read_event_types(event_types: Collection[str]) -> list[str]:
    wanted = sorted(set(event_types))
    if not wanted or len(wanted) > 100:
        raise InvalidField("Name between 1 and 100 event types, or *.", param="event_types")
    for name in wanted:
        if name != "*" and (len(name) > 64 or not _EVENT_TYPE.fullmatch(name)):
            raise InvalidField(f"{name[:64]!r} is no event type.", param="event_types")
    return wanted


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()
