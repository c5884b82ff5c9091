"""What is told of destinations and blocks: enough to recognise an account, and never the account."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.ids import public_id

__all__ = ["BlockData", "DestinationData", "NameEvidence", "Twin"]


@dataclass(frozen=True)
class DestinationData:
    """One account of one seller. `fingerprint` is equal for equal accounts of one merchant, in hexadecimal.

    `holder_name` is masked: the name itself is personal, and answers and events are kept.
    """

    id: UUID
    merchant_id: UUID
    seller_id: UUID
    seller_account: str
    kind: str
    country: str
    currency: str
    holder_name: str | None
    last4: str
    bank: str
    fingerprint: str
    name_match: str
    is_default: bool
    status: str
    added_by: str
    verified_by: str
    usable_from: datetime
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("dst", self.id)

    def as_object(self) -> dict[str, Any]:
        """Return the JSON object of the API and of events."""
        return {
            "object": "destination",
            "id": self.public_id,
            "seller_account": self.seller_account,
            "kind": self.kind,
            "country": self.country,
            "currency": self.currency,
            "holder_name": self.holder_name,
            "last4": self.last4,
            "bank": self.bank or None,
            "is_default": self.is_default,
            "status": self.status,
            "usable_from": _time(self.usable_from),
            "created_at": _time(self.created_at),
        }


@dataclass(frozen=True)
class Twin:
    """The same account at another seller of the merchant, or the same seller's in another row."""

    id: UUID
    seller_id: UUID
    seller_account: str
    status: str

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("dst", self.id)


@dataclass(frozen=True)
class NameEvidence:
    """What who verifies an account should know of its holder's name.

    `match` is how it compared with the seller's name when it was added: exact, close, no, or none where the
    account has no name of its own. `mixes_scripts`: letters that look alike, from several alphabets.
    """

    holder_name: str
    seller_name: str
    match: str
    mixes_scripts: bool


@dataclass(frozen=True)
class BlockData:
    """What stops money of a merchant, or of one seller, in one currency or in all of them ("")."""

    id: UUID
    merchant_id: UUID
    seller_id: UUID | None
    currency: str
    source: str
    source_ref: str
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str
    lifted_at: datetime | None


def _time(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
