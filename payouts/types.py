"""What crosses to other apps: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from payouts.destinations.types import BlockData, DestinationData, NameEvidence, Twin

__all__ = [
    "BlockData",
    "DestinationData",
    "Gate",
    "InstructionData",
    "NameEvidence",
    "PayoutFilters",
    "Twin",
    "UsualData",
]


@dataclass(frozen=True)
class PayoutFilters:
    """What a list of payouts is narrowed to; None: not by this."""

    status: str | None = None
    seller_account: str | None = None
    created_gte: datetime | None = None
    created_lt: datetime | None = None


@dataclass(frozen=True)
class InstructionData:
    """A payout exactly as it would leave now, and the digest of that: what a yes is a yes to."""

    payout_id: UUID
    instruction: Mapping[str, Any]
    digest: str


@dataclass(frozen=True)
class Gate:
    """One thing that must be so before money leaves; `says` is for people, whether it is open or not."""

    name: str
    is_open: bool
    says: str


@dataclass(frozen=True)
class UsualData:
    """What is normal for a seller in a currency, from payouts that were sent; amounts in minor units."""

    count: int
    median_minor: int | None
    largest_minor: int | None
    last_minor: int | None
    last_on: date | None
    last_destination_id: UUID | None
