"""What the desk of payouts is told: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from core.ids import public_id

__all__ = ["BatchAtDesk", "Habits", "PayoutAtDesk", "SendingAtDesk"]


@dataclass(frozen=True)
class PayoutAtDesk:
    """One payout; amounts in minor units of its currency."""

    id: UUID
    merchant_id: UUID
    seller_id: UUID
    seller_account: str
    wallet_id: UUID
    destination_id: UUID
    channel_id: UUID
    status: str
    amount_minor: int
    fee_minor: int
    return_fee_minor: int
    currency: str
    origin: str
    execute_on: date
    requested_by: str
    approved_by: str
    is_automatic: bool
    why_held: str
    failure: Mapping[str, Any] | None
    provider_reference: str | None
    arrival_date: date | None
    sent_at: datetime | None
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("po", self.id)


@dataclass(frozen=True)
class SendingAtDesk:
    """One sending of a payout, with the batch it is in."""

    id: UUID
    payout_id: UUID
    batch_id: UUID
    position: int
    reference: str
    provider_reference: str | None
    status: str
    amount_minor: int
    currency: str
    seller_account: str
    failure: Mapping[str, Any] | None
    sent_at: datetime | None
    file_name: str | None


@dataclass(frozen=True)
class BatchAtDesk:
    """One batch; `total_minor` in minor units of its currency, `sha256` of its file in hexadecimal."""

    id: UUID
    merchant_id: UUID
    channel_id: UUID
    status: str
    currency: str
    execute_on: date
    reference: str
    payouts_count: int
    total_minor: int
    file_name: str | None
    sha256: str
    provider_reference: str | None
    error: str
    asked: int
    due_at: datetime | None
    first_sent_at: datetime | None
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("pob", self.id)


@dataclass(frozen=True)
class Habits:
    """What is known of a payout's destination and of the month, beside what is usual for the seller.

    `to_destination` counts the payouts that were sent to the same account before. The month's figures are of
    the seller in the currency, the payout itself included; `month_minor` in minor units.
    """

    to_destination: int
    month_count: int
    month_minor: int
