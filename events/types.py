"""What crosses to other apps: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.ids import public_id

__all__ = [
    "AttemptData",
    "DeliveryData",
    "EndpointData",
    "EventData",
    "InboundEvent",
    "IssuedEndpoint",
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
            "occurred_at": self.occurred_at.isoformat().replace("+00:00", "Z"),
            "data": dict(self.data),
        }


@dataclass(frozen=True)
class EndpointData:
    """Where a store wants to be told; never shows its secrets."""

    id: UUID
    merchant_id: UUID
    mode: str
    url: str
    event_types: tuple[str, ...]
    status: str
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("whe", self.id)


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


@dataclass(frozen=True)
class DeliveryData:
    """One event on its way to one endpoint, with every try so far."""

    id: UUID
    event_id: UUID
    endpoint_id: UUID
    status: str
    due_at: datetime | None
    tries: tuple[AttemptData, ...]
