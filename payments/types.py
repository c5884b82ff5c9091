"""What crosses the door of pay-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

__all__ = ["AttemptRequest", "CheckoutRequest", "OrderRequest"]


@dataclass(frozen=True)
class OrderRequest:
    """One seller's part of a checkout; `amount_minor` in minor units of `currency`."""

    payment_order_id: str
    seller_account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class CheckoutRequest:
    """A checkout as the store asked for it, already checked field by field."""

    checkout_id: str
    orders: tuple[OrderRequest, ...]
    payment_method: str
    token: str = ""
    buyer_info: Mapping[str, Any] = field(default_factory=dict)
    capture: str = "automatic"
    multi_order_policy: str = "all_or_nothing"
    return_url: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""
    merchant_id: UUID | None = None


@dataclass(frozen=True)
class AttemptRequest:
    """How a store wants to pay what failed, already checked field by field."""

    payment_method: str
    token: str = ""
    return_url: str = ""
