"""Is this delivery from the provider, meant for this channel, and of now?

The check is our own: the SDK's lets times in the future pass, takes a tolerance of zero for "do not
check", and answers some hostile headers and bodies with other exceptions than its own.
"""

import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.conf import settings

from channels.deliveries import payables_delivery, stripe_delivery
from channels.errors import MalformedRequest, SignatureInvalid, UnsupportedProvider
from channels.rows import Line, line_by_name
from channels.types import ChannelData, VerifiedDelivery
from core import clock
from core.errors import NotFound

__all__ = ["verify_webhook"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_STAMP = re.compile(r"[0-9]{1,11}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")
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
    scheme = _SCHEMES.get(line.channel.provider)
    if scheme is None:
        raise UnsupportedProvider
    stamp, signatures = scheme.proof(headers)
    now = clock.now()
    if abs(now.timestamp() - int(stamp)) > settings.PSP_WEBHOOK_TOLERANCE:
        raise SignatureInvalid()
    if not _is_signed(stamp, signatures, raw, _secrets(line, now)):
        raise SignatureInvalid()
    return scheme.read(line.channel, _parse(raw))


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
    if len(stamps) != 1:
        raise SignatureInvalid()
    return _checked(stamps[0], signatures)


def _checked(stamp: str, signatures: list[str]) -> tuple[str, list[str]]:
    if not _STAMP.fullmatch(stamp) or not 1 <= len(signatures) <= _MOST_SIGNATURES:
        raise SignatureInvalid()
    return stamp, [value for value in signatures if _SIGNATURE.fullmatch(value)]


def _stripe_proof(headers: Mapping[str, Any]) -> tuple[str, list[str]]:
    return _read_header(_header(headers, "stripe-signature"))


def _payables_proof(headers: Mapping[str, Any]) -> tuple[str, list[str]]:
    """Read a time in a header of its own, beside `v1=…[,v1=…]`; it is signed as Stripe's is."""
    parts = [
        part.strip().partition("=") for part in _header(headers, "x-bank-signature").split(",", _MOST_PARTS)
    ]
    signatures = [value for name, _, value in parts if name == "v1"]
    return _checked(_header(headers, "x-bank-timestamp"), signatures)


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


@dataclass(frozen=True)
class _Scheme:
    """How one provider proves who it is, and how its events are read."""

    proof: Callable[[Mapping[str, Any]], tuple[str, list[str]]]
    read: Callable[[ChannelData, dict[str, Any]], VerifiedDelivery]


_SCHEMES: Mapping[str, _Scheme] = {
    "sandbox": _Scheme(_payables_proof, payables_delivery),
    "stripe": _Scheme(_stripe_proof, stripe_delivery),
}
