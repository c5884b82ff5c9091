"""Signatures in the Standard Webhooks scheme (standardwebhooks.com), symmetric form v1."""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from datetime import datetime
from typing import Any

__all__ = ["MOST_SECRETS", "fingerprint", "secrets_in_use", "sign", "signers_in_use"]

# Every delivery carries a signature for each; receivers try them one after the other.
MOST_SECRETS = 5
_PREFIX = "whsec_"


def sign(*, secrets: Iterable[str], message_id: str, timestamp: int, body: bytes) -> str:
    """Return the webhook-signature header: one v1 signature per secret, over id, seconds and raw body."""
    signed = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_digest(secret, signed)}" for secret in secrets)


def secrets_in_use(stored: Iterable[dict[str, Any]], *, now: datetime) -> list[str]:
    """Return the secrets that sign at this moment, the newest first."""
    return [each["secret"] for each in signers_in_use(stored, now=now)]


def signers_in_use(stored: Iterable[dict[str, Any]], *, now: datetime) -> list[dict[str, Any]]:
    """Return the same, each with the end of its time."""
    return [
        each
        for each in stored
        if each["expires_at"] is None or datetime.fromisoformat(each["expires_at"]) > now
    ]


def fingerprint(secret: str) -> str:
    """Return what tells one secret from another and gives none of it away: 16 digits of its SHA-256."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]


def _digest(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
