"""Is this delivery from the provider, meant for this channel, and of now?

The check is our own: the SDK's lets times in the future pass, takes a tolerance of zero for "do not
check", and answers some hostile headers and bodies with other exceptions than its own.
"""

import hmac
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from django.conf import settings

from channels.errors import MalformedRequest, SignatureInvalid, UnsupportedProvider
from channels.rows import Line, line_by_name
from channels.types import VerifiedDelivery
from core import clock
from core.errors import NotFound

__all__ = ["verify_webhook"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_STAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,100}")
_LONGEST_HEADER = 2048
_MOST_PARTS = 16
_MOST_SIGNATURES = 8
_DEEPEST = 32


def verify_webhook(*, channel_name: str, raw: bytes, headers: Mapping[str, Any]) -> VerifiedDelivery:
    """Return what a provider delivered, once its signature and time are proved.

    The secret is chosen by the channel in the URL, never by the content. Raises NotFound (no such
    channel), SignatureInvalid, MalformedRequest (signed, but no event). Never anything else for any input.
    """
    if not _NAME.fullmatch(channel_name):
        raise NotFound()
    line = line_by_name(channel_name)
    if line.channel.provider != "stripe":
        raise UnsupportedProvider
    stamp, signatures = _read_header(_header(headers, "stripe-signature"))
    now = clock.now()
    if abs(now.timestamp() - int(stamp)) > settings.PSP_WEBHOOK_TOLERANCE:
        raise SignatureInvalid()
    if not _is_signed(stamp, signatures, raw, _secrets(line, now)):
        raise SignatureInvalid()
    return _delivery(line, _parse(raw))


def _header(headers: Mapping[str, Any], name: str) -> str:
    for key, value in headers.items():
        if key.lower() == name:
            text = value.decode("latin-1") if isinstance(value, bytes) else value
            if isinstance(text, str) and text.isascii() and len(text) <= _LONGEST_HEADER:
                return text
    raise SignatureInvalid()


def _read_header(text: str) -> tuple[str, list[str]]:
    """Split `t=…,v1=…[,v1=…]`; other schemes are ignored, because only v1 is one we know to be strong."""
    parts = [part.strip().partition("=") for part in text.split(",", _MOST_PARTS)]
    stamps = [value for name, _, value in parts if name == "t"]
    signatures = [value for name, _, value in parts if name == "v1"]
    if len(stamps) != 1 or not _STAMP.fullmatch(stamps[0]) or not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise SignatureInvalid()
    return stamps[0], [value for value in signatures if _SIGNATURE.fullmatch(value)]


def _secrets(line: Line, now: datetime) -> list[bytes]:
    """Return the channel's secrets that are good now: during a rotation the old one still is."""
    return [
        entry["secret"].encode()
        for entry in line.credentials.get("webhook_secrets", [])
        if entry.get("expires_at") is None or datetime.fromisoformat(entry["expires_at"]) > now
    ]


def _is_signed(stamp: str, signatures: list[str], raw: bytes, secrets: list[bytes]) -> bool:
    signed = stamp.encode() + b"." + raw
    genuine = False
    for secret in secrets:
        expected = hmac.new(secret, signed, sha256).hexdigest()
        for signature in signatures:
            # No short cut: the time taken must not tell which one nearly fitted.
            genuine |= hmac.compare_digest(expected, signature)
    return genuine


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(raw.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise MalformedRequest("The delivery is not JSON.") from None
    if not isinstance(payload, dict):
        raise MalformedRequest("The delivery is not a JSON object.")
    _refuse_depth(payload)
    return payload


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _refuse_depth(payload: dict[str, Any]) -> None:
    level: list[Any] = [payload]
    for _ in range(_DEEPEST):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise MalformedRequest("The delivery is nested too deeply.")


def _delivery(line: Line, payload: dict[str, Any]) -> VerifiedDelivery:
    event_id, kind = payload.get("id"), payload.get("type")
    created, livemode, account = payload.get("created"), payload.get("livemode"), payload.get("account") or ""
    if not all(isinstance(text, str) and _WORD.fullmatch(text) for text in (event_id, kind)):
        raise MalformedRequest("The event's id or type is not one.")
    if type(created) is not int or not 0 <= created < 2**33:
        raise MalformedRequest("The event's time is not one.")
    if (
        type(livemode) is not bool
        or not isinstance(account, str)
        or (account and not _WORD.fullmatch(account))
    ):
        raise MalformedRequest("The event's mode or account is not one.")
    return VerifiedDelivery(
        channel=line.channel,
        event_id=str(event_id),
        type=str(kind),
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
