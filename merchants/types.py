"""What crosses to other apps: frozen values, never rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from core.ids import public_id

__all__ = [
    "BuyerData",
    "IssuedKey",
    "KeyIdentity",
    "MerchantData",
    "ScheduledSeller",
    "SellerData",
    "SignedRequest",
    "SigningKeyData",
    "TermsData",
]


@dataclass(frozen=True)
class MerchantData:
    """One store in one mode."""

    id: UUID
    name: str
    mode: str
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("mer", self.id)


@dataclass(frozen=True)
class BuyerData:
    """One buyer; `personal` holds what the store told about it and never shows in a log."""

    id: UUID
    merchant_id: UUID
    buyer_account: str
    personal: Mapping[str, Any] = field(repr=False)
    created_at: datetime

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("buy", self.id)


@dataclass(frozen=True)
class SigningKeyData:
    """One public key of an API key; requests name it by `serial`."""

    id: UUID
    api_key_id: UUID
    serial: str
    not_before: datetime
    expires_at: datetime | None


@dataclass(frozen=True)
class SignedRequest:
    """What a request says about its signature; `text` returns what must have been signed, reading the body.

    `timestamp` is in seconds since 1970.
    """

    serial: str
    timestamp: int
    nonce: str
    signature: bytes = field(repr=False)
    text: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True)
class IssuedKey:
    """A new API key; `secret` exists here and nowhere else. `serials` are those of its signing keys."""

    id: UUID
    merchant_id: UUID
    prefix: str
    secret: str
    scopes: tuple[str, ...]
    expires_at: datetime | None
    serials: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"IssuedKey({self.prefix})"


@dataclass(frozen=True)
class KeyIdentity:
    """Who called, proved by an API key."""

    key_id: UUID
    merchant_id: UUID
    mode: str
    scopes: frozenset[str]
    is_authenticated: bool = True

    @property
    def actor(self) -> str:
        """The name that goes into histories."""
        return public_id("key", self.key_id)


@dataclass(frozen=True)
class TermsData:
    """What a seller pays on an order: commission in basis points plus a fixed part, tax on commission.

    `commission_fixed_minor` is in minor units of `commission_fixed_currency`; empty when there is none. An
    order's money is released `settlement_delay_days` after its capture; `reserve_bps` basis points of it are
    kept back for `reserve_days` more, both 0 when there is no rolling reserve.
    """

    version: int
    commission_bps: int
    commission_fixed_minor: int
    commission_fixed_currency: str
    tax_bps: int
    settlement_delay_days: int
    reserve_bps: int
    reserve_days: int

    def fixed_minor(self, currency: str) -> int:
        """Return the fixed part for an order in that currency, in its minor units (0 for any other)."""
        return self.commission_fixed_minor if currency == self.commission_fixed_currency else 0


@dataclass(frozen=True)
class SellerData:
    """One seller, with the terms in effect when it was read."""

    id: UUID
    merchant_id: UUID
    seller_account: str
    name: str
    country: str
    kyc_status: str
    payout_schedule: Mapping[str, Any]
    created_at: datetime
    terms: TermsData

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("sel", self.id)

    @property
    def can_be_paid_out(self) -> bool:
        """Say whether KYC lets money leave for this seller."""
        return self.kyc_status == "VERIFIED"

    def as_object(self) -> dict[str, Any]:
        """Return the JSON object of the API and of events."""
        return {
            "object": "seller",
            "id": self.public_id,
            "seller_account": self.seller_account,
            "name": self.name,
            "country": self.country,
            "kyc_status": self.kyc_status,
            "commission_bps": self.terms.commission_bps,
            "settlement_delay_days": self.terms.settlement_delay_days,
            "payout_schedule": dict(self.payout_schedule),
            "created_at": self.created_at.isoformat().replace("+00:00", "Z"),
        }


@dataclass(frozen=True)
class ScheduledSeller:
    """A seller who is paid out without asking, and when: one whose schedule is not manual."""

    id: UUID
    seller_account: str
    payout_schedule: Mapping[str, Any]
