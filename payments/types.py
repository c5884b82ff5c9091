"""What crosses the door of pay-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

__all__ = [
    "AttemptRequest",
    "BalancePartData",
    "CheckoutRequest",
    "DisputeAnswer",
    "DisputeFile",
    "DisputeFilters",
    "FileLine",
    "MethodOffer",
    "OrderFilters",
    "OrderPart",
    "OrderRequest",
    "Receipt",
    "ReceiptPays",
    "RefundFilters",
    "RefundRequest",
    "Settled",
    "TopUpRequest",
]


@dataclass(frozen=True)
class OrderRequest:
    """One seller's part of a checkout; `amount_minor` in minor units of `currency`."""

    payment_order_id: str
    seller_account: str
    amount_minor: int
    currency: str


@dataclass(frozen=True)
class CheckoutRequest:
    """A checkout as the store asked for it, already checked field by field.

    It is paid with `token`, which is kept for the buyer if `save` says so, or with `saved_method`, our id of
    one that was kept before; `wallet_kinds` says what a balance is spent of, in which order.
    """

    checkout_id: str
    orders: tuple[OrderRequest, ...]
    payment_method: str
    token: str = field(default="", repr=False)
    save: bool = False
    saved_method: str = ""
    wallet_kinds: tuple[str, ...] = ("cash",)
    buyer_info: Mapping[str, Any] = field(default_factory=dict)
    capture: str = "automatic"
    multi_order_policy: str = "all_or_nothing"
    return_url: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""
    merchant_id: UUID | None = None


@dataclass(frozen=True)
class AttemptRequest:
    """How a store wants to pay what failed, already checked field by field; see CheckoutRequest."""

    payment_method: str
    token: str = field(default="", repr=False)
    save: bool = False
    saved_method: str = ""
    wallet_kinds: tuple[str, ...] = ("cash",)
    return_url: str = ""


@dataclass(frozen=True)
class TopUpRequest:
    """How a buyer brings money into a wallet, already checked field by field; see CheckoutRequest."""

    amount_minor: int
    currency: str
    payment_method: str
    token: str = field(default="", repr=False)
    save: bool = False
    saved_method: str = ""
    return_url: str = ""


@dataclass(frozen=True)
class BalancePartData:
    """What one of the buyer's wallets paid of an order, and what that much of the order became.

    `amount_minor` is in the order's currency and the sum of the three parts; `units_minor` is in the
    wallet's: points for points, else the same.
    """

    id: UUID
    wallet_id: UUID
    hold_id: UUID
    kind: str
    amount_minor: int
    units_minor: int
    seller_net_minor: int
    commission_minor: int
    tax_minor: int


@dataclass(frozen=True)
class OrderFilters:
    """Which orders a list shows, already checked; None where it does not matter.

    `checkout` is the store's own id of a checkout or ours; the times are when the order was accepted.
    """

    status: str | None = None
    seller_account: str | None = None
    checkout: str | None = None
    created_gte: datetime | None = None
    created_lt: datetime | None = None


@dataclass(frozen=True)
class MethodOffer:
    """One way to pay that a merchant's channels can take now.

    `limits` in minor units by currency, (least, most): 0 and None where there is none.
    """

    payment_method: str
    wallets: tuple[str, ...]
    currencies: tuple[str, ...]
    limits: Mapping[str, tuple[int, int | None]]


@dataclass(frozen=True)
class RefundRequest:
    """What is to be given back of one order, already checked field by field.

    `amount` is text in the order's currency, empty for all that is left; `currency` is compared if given;
    `destination` is instrument or wallet, empty for where the money came from.
    """

    payment_order_id: str
    amount: str = ""
    currency: str = ""
    destination: str = ""
    reason: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RefundFilters:
    """Which refunds a list shows, already checked; None where it does not matter.

    `order` is the store's own id of an order or ours; the times are when the refund was made.
    """

    status: str | None = None
    seller_account: str | None = None
    order: str | None = None
    created_gte: datetime | None = None
    created_lt: datetime | None = None


@dataclass(frozen=True)
class DisputeFilters:
    """Which disputes a list shows, already checked; None where it does not matter.

    `order` is the store's own id of an order or ours; the times are when we heard of the dispute.
    """

    status: str | None = None
    order: str | None = None
    created_gte: datetime | None = None
    created_lt: datetime | None = None


@dataclass(frozen=True)
class DisputeFile:
    """One file of an answer to a dispute, as it came; `part` is what it proves."""

    part: str
    name: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class DisputeAnswer:
    """What is added to the answer to a dispute, and whether all of it is sent now."""

    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    files: tuple[DisputeFile, ...] = ()
    submit: bool = False


@dataclass(frozen=True)
class FileLine:
    """What a line of a provider's file tells of a charge or a refund.

    `subject_…` name the movement that it is matched to (see `payments_movement`); they are empty where it is
    nothing that we know, and then `kind` (charge, refund) says what it tells of. `amount_minor` is signed as
    the provider signs it, in minor units of `currency`, that of our payment. `reference` is the provider's
    name of it, `payment_reference` that of what is refunded, `our_reference` what the provider was told as
    ours. `file` (stl_…) and `line_no` are its evidence.
    """

    merchant_id: UUID
    channel_ids: tuple[UUID, ...]
    kind: str
    subject_kind: str
    subject_id: UUID | None
    reference: str
    payment_reference: str
    our_reference: str
    amount_minor: int
    currency: str
    file: str
    line_no: int

    @property
    def because(self) -> str:
        """What histories say of it."""
        return f"told by {self.file} line {self.line_no}"


@dataclass(frozen=True)
class Settled:
    """What became of a line that told of a charge or a refund.

    settled: it ended, or was made again from what the provider says. known: it had ended so before.
    conflict: what is told contradicts what we asked for; people decide. unsettled: nothing was recorded;
    `says` is why. silent: the provider did not answer, so that it can be asked again.
    """

    result: Literal["settled", "known", "conflict", "unsettled", "silent"]
    says: str = ""


@dataclass(frozen=True)
class Receipt:
    """Money that a provider's file reports and that is no payment we know, in minor units.

    `channel_ids` are the channels of the account that the file is about, `reference` is the provider's name
    for the payment, `order` is the order that it is said to pay: its own id of the store's or ours.
    """

    merchant_id: UUID
    channel_ids: tuple[UUID, ...]
    reference: str
    amount_minor: int
    currency: str
    order: str


@dataclass(frozen=True)
class OrderPart:
    """What is, or was, an order's part of a payment, in minor units: the seller's, commission and tax."""

    order_id: UUID
    payment_order_id: str
    seller_account: str
    seller_minor: int
    commission_minor: int
    tax_minor: int

    @property
    def amount_minor(self) -> int:
        """All of it."""
        return self.seller_minor + self.commission_minor + self.tax_minor


@dataclass(frozen=True)
class ReceiptPays:
    """What a receipt would pay: the orders of one checkout, by a charge of this channel."""

    checkout_id: UUID
    channel_id: UUID
    provider: str
    orders: tuple[OrderPart, ...]
