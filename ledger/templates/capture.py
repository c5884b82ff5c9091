"""P2: a payment was captured. One entry per charge, with a leg for every seller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.templates.accounts import SaleAccounts
from ledger.templates.entry import Leg, Posting, credit, debit, entry, sum_minor
from ledger.templates.rounding import half_up
from ledger.types import EntryDraft

__all__ = [
    "CaptureAccounts",
    "CapturedOrder",
    "Share",
    "Terms",
    "amount_of",
    "capture_entry",
    "sale_legs",
    "split",
]

_BPS = 10_000


@dataclass(frozen=True)
class Terms:
    """What the marketplace keeps of an order: basis points, a fixed part in minor units, tax on both."""

    commission_bps: int
    commission_fixed_minor: int
    tax_bps: int


@dataclass(frozen=True)
class Share:
    """The parts of one order's money; they add up to its amount."""

    seller_net_minor: int
    commission_minor: int
    tax_minor: int

    @property
    def amount_minor(self) -> int:
        """Return the whole that was divided."""
        return sum_minor((self.seller_net_minor, self.commission_minor, self.tax_minor))


@dataclass(frozen=True)
class CapturedOrder:
    """One order of a captured charge, and the seller's account that is credited."""

    seller_pending_account: int
    share: Share


@dataclass(frozen=True)
class CaptureAccounts:
    """The accounts that every capture of a channel shares."""

    psp_clearing: int
    commission: int
    tax_payable: int


def split(*, amount_minor: int, terms: Terms) -> Share:
    """Divide an order's amount between seller, marketplace and tax; nothing is lost or made.

    commission = min(amount, half-up(amount x bps / 10 000) + fixed), of which the tax inside is
    half-up(commission x t / (1 + t)); the seller gets the rest.
    """
    percentage = half_up(amount_minor * terms.commission_bps, _BPS)
    gross = min(amount_minor, percentage + terms.commission_fixed_minor)
    tax = half_up(gross * terms.tax_bps, _BPS + terms.tax_bps)
    return Share(seller_net_minor=amount_minor - gross, commission_minor=gross - tax, tax_minor=tax)


def sale_legs(*, accounts: SaleAccounts, orders: Sequence[CapturedOrder]) -> list[Leg]:
    """Return what a sale credits, whatever it was paid with: each seller, the commission, the tax inside."""
    return [
        credit(account, minor)
        for order in orders
        for account, minor in (
            (order.seller_pending_account, order.share.seller_net_minor),
            (accounts.commission, order.share.commission_minor),
            (accounts.tax_payable, order.share.tax_minor),
        )
    ]


def amount_of(orders: Sequence[CapturedOrder]) -> int:
    """Return what the orders cost together, in minor units."""
    return sum(order.share.amount_minor for order in orders)


def capture_entry(
    *,
    merchant_id: UUID,
    charge_id: UUID,
    currency: str,
    effective_date: date,
    accounts: CaptureAccounts,
    orders: Sequence[CapturedOrder],
) -> EntryDraft:
    """P2: a charge was captured. Dr psp_clearing; Cr seller_pending per seller, commission, tax_payable."""
    return entry(
        posting=Posting(merchant_id=merchant_id, currency=currency, effective_date=effective_date),
        kind="payment_captured",
        source="charge",
        source_ref=charge_id,
        leg="capture",
        legs=[
            debit(accounts.psp_clearing, amount_of(orders), key=charge_id),
            *sale_legs(accounts=SaleAccounts(accounts.commission, accounts.tax_payable), orders=orders),
        ],
    )
