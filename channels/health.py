"""How the line to a provider is doing, by the evidence of the calls that went over it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from channels.breaker import breaker_for
from channels.models import Channel, PspCall
from core import clock

__all__ = ["Health", "SecretSeen", "fingerprint", "health_of", "secrets_of"]

_RECENT = timedelta(minutes=15)
# How far back a good answer is looked for.
_LONGEST = timedelta(days=30)
_MOST = 200


@dataclass(frozen=True)
class Health:
    """What was seen of a channel.

    `calls` and `failed` count those of the last minutes, at most some hundreds of them. `rests_for` is for
    how many more seconds this process would not call: its breaker is open then; each process has its own.
    """

    calls: int
    failed: int
    last_success_at: datetime | None
    last_error: str
    rests_for: float


@dataclass(frozen=True)
class SecretSeen:
    """One of the credentials, as far as people may see it: what for, and its fingerprint."""

    what: str
    fingerprint: str
    expires_at: str


def health_of(*, channel_id: UUID) -> Health:
    """Return how a channel is doing now."""
    now = clock.now()
    rows = PspCall.objects.filter(channel_id=channel_id).order_by("-at")
    recent = list(rows.filter(at__gte=now - _RECENT).values_list("http_status", "error")[:_MOST])
    failed = [error or f"HTTP {status}" for status, error in recent if not _is_good(status)]
    good = rows.filter(at__gte=now - _LONGEST, http_status__gte=200, http_status__lt=500)
    return Health(
        calls=len(recent),
        failed=len(failed),
        last_success_at=good.values_list("at", flat=True).first(),
        last_error=failed[0] if failed else "",
        rests_for=breaker_for(channel_id).seconds_left,
    )


def _is_good(status: int | None) -> bool:
    # What a provider declines is an answer; that the line works is all that counts here.
    return status is not None and 200 <= status < 500


def fingerprint(secret: str) -> str:
    """Return the beginning of the SHA-256 of a secret: enough to compare two of them, useless for calls."""
    return sha256(secret.encode()).hexdigest()[:16]


def secrets_of(row: Channel) -> list[SecretSeen]:
    """Return the credentials of a channel by their fingerprints."""
    kept: dict[str, Any] = row.credentials
    seen = [SecretSeen("secret key", fingerprint(kept["secret_key"]), "")] if kept.get("secret_key") else []
    return seen + [
        SecretSeen("webhook secret", fingerprint(each["secret"]), each["expires_at"] or "")
        for each in kept.get("webhook_secrets", [])
    ]
