"""R1 to R8 and W7: what is given back to buyers, and captures that the rail takes back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.templates.accounts import ReturnAccounts, SellerAccounts
from ledger.templates.cover import Restored, SellerPart, cover_legs, restored_legs
from ledger.templates.entry import Key, Leg, Posting, credit, debit, entry
from ledger.types import EntryDraft

__all__ = [
    "FailedOrder",
    "ReturnedOrder",
    "overpayment_entry",
    "overpayment_refund_entry",
    "refund_entry",
    "refund_failure_entry",
    "refund_netting_entry",
    "restored_parts",
    "return_legs",
    "returned_total",
    "reversal_entry",
    "wallet_refund_entry",
]


@dataclass(frozen=True)
class ReturnedOrder:
    """One order's part of what is given back: what its seller bears, and what the marketplace returns.

    Commission and tax are those of the cumulative rule (`splits.refund_share`); both zero where the policy
    is to keep the commission (R5).
    """

    part: SellerPart
    commission_minor: int
    tax_minor: int


@dataclass(frozen=True)
class FailedOrder:
    """One order's part of a refund that failed: where the seller's money goes back to."""

    seller: SellerAccounts
    restored: Restored
    commission_minor: int
    tax_minor: int


def returned_total(orders: Iterable[ReturnedOrder]) -> int:
    """Return what is given back altogether, in minor units."""
    return sum(order.part.cover.total_minor + order.commission_minor + order.tax_minor for order in orders)


def return_legs(accounts: ReturnAccounts, orders: Iterable[ReturnedOrder]) -> list[Leg]:
    """Return the debits of everybody who bears a part of what is given back."""
    legs = []
    for order in orders:
        legs += cover_legs(order.part)
        legs += [
            debit(accounts.commission_refunded, order.commission_minor),
            debit(accounts.tax_payable, order.tax_minor),
        ]
    return legs


def restored_parts(accounts: ReturnAccounts, orders: Iterable[FailedOrder]) -> list[Leg]:
    """Return the credits that give everybody back what they bore."""
    legs: list[Leg] = []
    for order in orders:
        legs += restored_legs(order.seller, order.restored)
        legs += [
            credit(accounts.commission_refunded, order.commission_minor),
            credit(accounts.tax_payable, order.tax_minor),
        ]
    return legs


def refund_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    refunds_in_transit: int,
    refund_id: UUID,
    orders: Sequence[ReturnedOrder],
) -> EntryDraft:
    """R1, R4, R5: a refund was accepted. Dr the sellers' cover, commission, tax; Cr refunds_in_transit.

    R4 is the same with a cover that ends in a debt, R5 with nothing returned by the marketplace.
    """
    return entry(
        posting=posting,
        kind="refund_accepted",
        source="refund",
        source_ref=refund_id,
        leg="accepted",
        legs=[
            *return_legs(accounts, orders),
            credit(refunds_in_transit, returned_total(orders), key=refund_id),
        ],
    )


def wallet_refund_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    wallet_available: int,
    refund_id: UUID,
    orders: Sequence[ReturnedOrder],
) -> EntryDraft:
    """W7: a refund to the buyer's wallet. As R1, but Cr wallet_available.

    It has the same leg as R1, so that a refund goes to the card or to the wallet, never to both.
    """
    return entry(
        posting=posting,
        kind="refund_to_wallet",
        source="refund",
        source_ref=refund_id,
        leg="accepted",
        legs=[*return_legs(accounts, orders), credit(wallet_available, returned_total(orders))],
    )


def refund_netting_entry(
    *,
    posting: Posting,
    refunds_in_transit: int,
    psp_fee: int,
    psp_clearing: int,
    refund_id: UUID,
    charge_id: UUID,
    amount_minor: int,
    fee_minor: int = 0,
) -> EntryDraft:
    """R2: the PSP took the refund and its fee from what it owes us.

    Dr refunds_in_transit, psp_fee; Cr psp_clearing under the charge. The refund's line of the
    settlement file, a negative gross, debits it there again (P4).
    """
    return entry(
        posting=posting,
        kind="refund_netted",
        source="refund",
        source_ref=refund_id,
        leg="netted",
        legs=[
            debit(refunds_in_transit, amount_minor, key=refund_id),
            debit(psp_fee, fee_minor),
            credit(psp_clearing, amount_minor + fee_minor, key=charge_id),
        ],
    )


def refund_failure_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    refunds_in_transit: int,
    refund_id: UUID,
    orders: Sequence[FailedOrder],
) -> EntryDraft:
    """R3: the scheme rejected the refund. Dr refunds_in_transit; Cr the sellers, commission, tax.

    Not a mirror of R1: a debt that it made may have been netted meanwhile, so sellers get back first what
    they still owe and then available money (`cover.decide_restored`).
    """
    legs = restored_parts(accounts, orders)
    return entry(
        posting=posting,
        kind="refund_failed",
        source="refund",
        source_ref=refund_id,
        leg="failed",
        legs=[debit(refunds_in_transit, -sum(leg.amount_minor for leg in legs), key=refund_id), *legs],
    )


def overpayment_entry(
    *,
    posting: Posting,
    psp_clearing: int,
    customer_overpayment: int,
    charge_id: Key,
    amount_minor: int,
) -> EntryDraft:
    """R6: money came for an order that needs none. Dr psp_clearing; Cr customer_overpayment."""
    return entry(
        posting=posting,
        kind="overpayment_received",
        source="charge",
        source_ref=charge_id,
        leg="overpayment",
        legs=[
            debit(psp_clearing, amount_minor, key=charge_id),
            credit(customer_overpayment, amount_minor, key=charge_id),
        ],
    )


def overpayment_refund_entry(
    *,
    posting: Posting,
    customer_overpayment: int,
    refunds_in_transit: int,
    charge_id: Key,
    refund_id: UUID,
    amount_minor: int,
) -> EntryDraft:
    """R7: the overpayment is refunded. Dr customer_overpayment; Cr refunds_in_transit. R2 follows."""
    return entry(
        posting=posting,
        kind="overpayment_refunded",
        source="refund",
        source_ref=refund_id,
        leg="accepted",
        legs=[
            debit(customer_overpayment, amount_minor, key=charge_id),
            credit(refunds_in_transit, amount_minor, key=refund_id),
        ],
    )


def reversal_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    psp_clearing: int,
    charge_id: UUID,
    orders: Sequence[ReturnedOrder],
) -> EntryDraft:
    """R8: the rail took a capture back. Dr the sellers' cover, commission, tax; Cr psp_clearing."""
    return entry(
        posting=posting,
        kind="charge_reversed",
        source="charge",
        source_ref=charge_id,
        leg="reversal",
        legs=[
            *return_legs(accounts, orders),
            credit(psp_clearing, returned_total(orders), key=charge_id),
        ],
    )
