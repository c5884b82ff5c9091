"""P2: a payment was captured. One entry per charge, with a leg for every seller."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from ledger.types import EntryDraft, LineDraft

__all__ = ["CaptureAccounts", "CapturedOrder", "Share", "Terms", "capture_entry", "split"]

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
    percentage = _half_up(amount_minor * terms.commission_bps, _BPS)
    gross = min(amount_minor, percentage + terms.commission_fixed_minor)
    tax = _half_up(gross * terms.tax_bps, _BPS + terms.tax_bps)
    return Share(seller_net_minor=amount_minor - gross, commission_minor=gross - tax, tax_minor=tax)


def _half_up(numerator: int, denominator: int) -> int:
    return (2 * numerator + denominator) // (2 * denominator)


def capture_entry(
    *,
    merchant_id: UUID,
    charge_id: UUID,
    currency: str,
    effective_date: date,
    accounts: CaptureAccounts,
    orders: Sequence[CapturedOrder],
) -> EntryDraft:
    """Return the entry of a captured charge: Dr psp_clearing; Cr seller_pending, commission, tax_payable."""
    key = str(charge_id)
    credits_by_account: dict[int, int] = {}
    for order in orders:
        for account, minor in (
            (order.seller_pending_account, order.share.seller_net_minor),
            (accounts.commission, order.share.commission_minor),
            (accounts.tax_payable, order.share.tax_minor),
        ):
            credits_by_account[account] = credits_by_account.get(account, 0) + minor
    total = sum(credits_by_account.values())
    return EntryDraft(
        merchant_id=merchant_id,
        kind="payment_captured",
        source="charge",
        source_ref=key,
        leg="capture",
        effective_date=effective_date,
        lines=(
            LineDraft(accounts.psp_clearing, total, currency, clearing_key=key),
            *(LineDraft(account, -minor, currency) for account, minor in credits_by_account.items() if minor),
        ),
    )
