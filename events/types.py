"""What crosses to other apps: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from core.ids import public_id

__all__ = [
    "AttemptData",
    "DeliveryData",
    "EndpointData",
    "EventData",
    "InboundEvent",
    "IssuedEndpoint",
    "Redelivered",
    "SecretData",
    "ToldData",
]


@dataclass(frozen=True)
class InboundEvent:
    """A provider's event as a subscriber sees it: authentic, but a hint and not yet a fact.

    `id` is ours, `event_id` the provider's; `occurred_at` is the provider's time and `account` the
    provider's account it is about (empty for the channel's own).
    """

    id: UUID
    merchant_id: UUID
    channel_id: UUID
    provider: str
    event_id: str
    type: str
    payload: Mapping[str, Any]
    account: str
    occurred_at: datetime
    received_at: datetime


@dataclass(frozen=True)
class ToldData:
    """A webhook that came in, and how it stands with each subscriber: pairs of name and state."""

    id: UUID
    event_id: str
    type: str
    status: str
    received_at: datetime
    work: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class EventData:
    """A fact of ours. `sequence` counts per subject from 1; `published_seq` is None before the relay."""

    id: UUID
    merchant_id: UUID | None
    type: str
    subject: str
    sequence: int
    data: Mapping[str, Any]
    occurred_at: datetime
    published_seq: int | None

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("evt", self.id)

    def as_object(self) -> dict[str, Any]:
        """Return the JSON object of deliveries and of the feed."""
        return {
            "object": "event",
            "id": self.public_id,
            "type": self.type,
            "sequence": self.sequence,
            "subject": self.subject,
            "occurred_at": _time(self.occurred_at),
            "data": dict(self.data),
        }


@dataclass(frozen=True)
class SecretData:
    """A signing secret in use, by its fingerprint; only an outgoing one has an end (ISO 8601)."""

    fingerprint: str
    expires_at: str | None


@dataclass(frozen=True)
class EndpointData:
    """Where a store wants to be told; never shows its secrets."""

    id: UUID
    merchant_id: UUID
    mode: str
    url: str
    event_types: tuple[str, ...]
    status: str
    signing_secrets: tuple[SecretData, ...]
    last_success_at: datetime | None
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("whe", self.id)

    @property
    def host(self) -> str:
        """Where it is, without whatever secrets the rest of the URL may hold."""
        return urlsplit(self.url).netloc

    def as_object(self) -> dict[str, Any]:
        """Return the JSON object of the API and of events; no secret is in it."""
        return {
            "object": "webhook_endpoint",
            "id": self.public_id,
            "url": self.url,
            "event_types": list(self.event_types),
            "status": self.status.lower(),
            "signing_secrets": [
                {
                    "fingerprint": each.fingerprint,
                    "expires_at": each.expires_at and each.expires_at.replace("+00:00", "Z"),
                }
                for each in self.signing_secrets
            ],
            "last_success_at": _time(self.last_success_at),
            "created_at": _time(self.created_at),
        }


@dataclass(frozen=True)
class IssuedEndpoint:
    """An endpoint with a new signing secret, which exists here and nowhere else in the clear."""

    endpoint: EndpointData
    secret: str

    def __repr__(self) -> str:
        return f"IssuedEndpoint({self.endpoint.public_id})"


@dataclass(frozen=True)
class AttemptData:
    """One try. `http_status` is None when no answer came."""

    number: int
    http_status: int | None
    duration_ms: int
    body: str
    error: str
    at: datetime

    def as_object(self) -> dict[str, Any]:
        """Return the JSON object of the API; `response` is how a public address's answer begins."""
        return {
            "number": self.number,
            "http_status": self.http_status,
            "duration_ms": self.duration_ms,
            "error": self.error or None,
            "response": self.body or None,
            "at": _time(self.at),
        }


@dataclass(frozen=True)
class DeliveryData:
    """One event on its way to one endpoint, with every try so far."""

    id: UUID
    event_id: UUID
    event_type: str
    endpoint_id: UUID
    status: str
    due_at: datetime | None
    created_at: datetime
    finished_at: datetime | None
    redelivered_at: datetime | None
    tries: tuple[AttemptData, ...]

    def as_object(self) -> dict[str, Any]:
        """Return the JSON object of the API."""
        return {
            "object": "webhook_delivery",
            "id": str(self.id),
            "webhook_endpoint": public_id("whe", self.endpoint_id),
            "event": public_id("evt", self.event_id),
            "event_type": self.event_type,
            "status": self.status.lower(),
            "next_attempt_at": _time(self.due_at),
            "attempts": [each.as_object() for each in self.tries],
            "created_at": _time(self.created_at),
            "finished_at": _time(self.finished_at),
            "redelivered_at": _time(self.redelivered_at),
        }


@dataclass(frozen=True)
class Redelivered:
    """One portion of a range: how many are sent again, and the delivery after which to go on, if any."""

    count: int
    last: UUID | None


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat().replace("+00:00", "Z") if moment else None
