"""A1 to A12: what reconciliation posts when a file or statement and the books differ.

Differences of timing alone get no entry. The source of each is the adjustment, which holds the rule, the
evidence and who proposed and approved it.
"""

from collections.abc import Sequence
from uuid import UUID

from ledger.templates.accounts import ReturnAccounts, SaleAccounts
from ledger.templates.capture import CapturedOrder, amount_of, sale_legs
from ledger.templates.entry import (
    Key,
    Keyed,
    Leg,
    Posting,
    check_minor,
    credit,
    debit,
    entry,
    signed,
    sum_minor,
)
from ledger.templates.refunds import (
    FailedOrder,
    ReturnedOrder,
    restored_parts,
    return_legs,
    returned_total,
)
from ledger.types import EntryDraft

__all__ = [
    "amount_difference_entry",
    "denial_undone_entry",
    "denied_capture_entry",
    "duplicate_charge_entry",
    "fee_difference_entry",
    "line_reassigned_entry",
    "rounding_entry",
    "suspense_identified_entry",
    "suspense_returned_entry",
    "unidentified_payment_entry",
    "unidentified_receipt_entry",
    "unknown_capture_entry",
]


def _adjustment(*, posting: Posting, kind: str, adjustment_id: UUID, legs: Sequence[Leg]) -> EntryDraft:
    return entry(
        posting=posting,
        kind=kind,
        source="adjustment",
        source_ref=adjustment_id,
        leg="adjustment",
        legs=legs,
    )


def _of_bank(
    *,
    posting: Posting,
    kind: str,
    adjustment_id: UUID | None,
    bank_line_id: Key | None,
    legs: Sequence[Leg],
) -> EntryDraft:
    if adjustment_id is not None:
        return _adjustment(posting=posting, kind=kind, adjustment_id=adjustment_id, legs=legs)
    if bank_line_id is None:
        raise ValueError(f"{kind}: neither an adjustment nor a line of a statement")
    return entry(
        posting=posting, kind=kind, source="bank_line", source_ref=bank_line_id, leg="unidentified", legs=legs
    )


def unknown_capture_entry(
    *, posting: Posting, psp_clearing: int, suspense_receipts: int, adjustment_id: UUID, line: Keyed
) -> EntryDraft:
    """A1: the PSP reports a capture that we do not know. Dr psp_clearing; Cr suspense_receipts.

    Both under the line of the file: it cannot make money that anybody may spend.
    """
    return _adjustment(
        posting=posting,
        kind="unknown_capture_reported",
        adjustment_id=adjustment_id,
        legs=[
            debit(psp_clearing, line.amount_minor, key=line.key),
            credit(suspense_receipts, line.amount_minor, key=line.key),
        ],
    )


def suspense_identified_entry(
    *,
    posting: Posting,
    suspense_receipts: int,
    accounts: SaleAccounts,
    adjustment_id: UUID,
    line_key: Key,
    orders: Sequence[CapturedOrder],
) -> EntryDraft:
    """A2: the receipt belongs to these orders. Dr suspense_receipts; Cr seller_pending, commission, tax."""
    return _adjustment(
        posting=posting,
        kind="suspense_identified",
        adjustment_id=adjustment_id,
        legs=[
            debit(suspense_receipts, amount_of(orders), key=line_key),
            *sale_legs(accounts=accounts, orders=orders),
        ],
    )


def suspense_returned_entry(
    *,
    posting: Posting,
    suspense_receipts: int,
    refunds_in_transit: int,
    adjustment_id: UUID,
    refund_id: UUID,
    line: Keyed,
) -> EntryDraft:
    """A3: nobody knows the receipt, the money goes back. Dr suspense_receipts; Cr refunds_in_transit."""
    return _adjustment(
        posting=posting,
        kind="suspense_returned",
        adjustment_id=adjustment_id,
        legs=[
            debit(suspense_receipts, line.amount_minor, key=line.key),
            credit(refunds_in_transit, line.amount_minor, key=refund_id),
        ],
    )


def denied_capture_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    psp_clearing: int,
    recon_loss: int,
    adjustment_id: UUID,
    charge_id: UUID,
    orders: Sequence[ReturnedOrder],
    loss_minor: int = 0,
) -> EntryDraft:
    """A4: we booked a capture that the PSP denies; needs approval. As R8; the platform bears `loss_minor`."""
    return _adjustment(
        posting=posting,
        kind="capture_denied",
        adjustment_id=adjustment_id,
        legs=[
            *return_legs(accounts, orders),
            debit(recon_loss, loss_minor),
            credit(psp_clearing, returned_total(orders) + check_minor(loss_minor), key=charge_id),
        ],
    )


def denial_undone_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    psp_clearing: int,
    recon_loss: int,
    adjustment_id: UUID,
    charge_id: UUID,
    orders: Sequence[FailedOrder],
    loss_minor: int = 0,
) -> EntryDraft:
    """A12: the PSP has a capture after all that it had denied (A4). Dr psp_clearing; Cr who gave it.

    Not a mirror of A4: sellers get back first what they still owe and then available money, as in R3.
    """
    legs = restored_parts(accounts, orders)
    given = -sum_minor(leg.amount_minor for leg in legs)
    return _adjustment(
        posting=posting,
        kind="capture_denial_undone",
        adjustment_id=adjustment_id,
        legs=[
            debit(psp_clearing, given + check_minor(loss_minor), key=charge_id),
            *legs,
            credit(recon_loss, loss_minor),
        ],
    )


def amount_difference_entry(
    *, posting: Posting, recon_difference: int, psp_clearing: int, adjustment_id: UUID, line: Keyed
) -> EntryDraft:
    """A5: the PSP reports less than we booked, within the tolerance. Dr recon_difference; Cr psp_clearing.

    A negative amount is one where the PSP reports more.
    """
    return _adjustment(
        posting=posting,
        kind="amount_difference_absorbed",
        adjustment_id=adjustment_id,
        legs=[
            signed(recon_difference, line.amount_minor),
            signed(psp_clearing, -line.amount_minor, key=line.key),
        ],
    )


def duplicate_charge_entry(
    *, posting: Posting, psp_clearing: int, customer_overpayment: int, adjustment_id: UUID, charge: Keyed
) -> EntryDraft:
    """A6: the buyer was charged twice. Dr psp_clearing; Cr customer_overpayment. R7 gives it back."""
    return _adjustment(
        posting=posting,
        kind="duplicate_charge_reported",
        adjustment_id=adjustment_id,
        legs=[
            debit(psp_clearing, charge.amount_minor, key=charge.key),
            credit(customer_overpayment, charge.amount_minor, key=charge.key),
        ],
    )


def fee_difference_entry(
    *, posting: Posting, psp_fee: int, psp_clearing: int, adjustment_id: UUID, line: Keyed
) -> EntryDraft:
    """A7: a fee turned out higher (negative: lower) later on. Dr psp_fee; Cr psp_clearing."""
    return _adjustment(
        posting=posting,
        kind="fee_difference_found",
        adjustment_id=adjustment_id,
        legs=[
            signed(psp_fee, line.amount_minor),
            signed(psp_clearing, -line.amount_minor, key=line.key),
        ],
    )


def unidentified_receipt_entry(
    *,
    posting: Posting,
    bank: int,
    suspense_receipts: int,
    line: Keyed,
    adjustment_id: UUID | None = None,
    bank_line_id: Key | None = None,
) -> EntryDraft:
    """A8: the bank shows a credit that nobody knows. Dr bank; Cr suspense_receipts.

    Posted with its statement (`bank_line_id`) or by an adjustment: the money is at the bank either way.
    """
    return _of_bank(
        posting=posting,
        kind="unidentified_receipt",
        adjustment_id=adjustment_id,
        bank_line_id=bank_line_id,
        legs=[debit(bank, line.amount_minor), credit(suspense_receipts, line.amount_minor, key=line.key)],
    )


def unidentified_payment_entry(
    *,
    posting: Posting,
    bank: int,
    suspense_payments: int,
    line: Keyed,
    adjustment_id: UUID | None = None,
    bank_line_id: Key | None = None,
) -> EntryDraft:
    """A9: the bank shows a debit that nobody knows. Dr suspense_payments; Cr bank.

    Posted with its statement (`bank_line_id`) or by an adjustment.
    """
    return _of_bank(
        posting=posting,
        kind="unidentified_payment",
        adjustment_id=adjustment_id,
        bank_line_id=bank_line_id,
        legs=[debit(suspense_payments, line.amount_minor, key=line.key), credit(bank, line.amount_minor)],
    )


def rounding_entry(
    *, posting: Posting, rounding: int, psp_clearing: int, adjustment_id: UUID, line: Keyed
) -> EntryDraft:
    """A10: a line is off by one minor unit, either way. Dr rounding; Cr psp_clearing.

    Raises ValueError for more: that is a difference, not a rounding.
    """
    if abs(sum_minor((line.amount_minor,))) > 1:
        raise ValueError(f"{line.amount_minor} minor units are more than a rounding")
    return _adjustment(
        posting=posting,
        kind="rounding_absorbed",
        adjustment_id=adjustment_id,
        legs=[
            signed(rounding, line.amount_minor),
            signed(psp_clearing, -line.amount_minor, key=line.key),
        ],
    )


def line_reassigned_entry(*, posting: Posting, adjustment_id: UUID, legs: Sequence[Leg]) -> EntryDraft:
    """A11: a line of a file is another movement than it was posted as, or none. psp_clearing by psp_clearing.

    `legs` are what the line posts as what it is now, less what it was posted as: what it clears moves from
    one key to another, and what came with the movement comes or goes. Matching and un-matching a line are
    each other's inverse.
    """
    checked = [signed(leg.account_id, leg.amount_minor, key=leg.key, currency=leg.currency) for leg in legs]
    return _adjustment(posting=posting, kind="line_reassigned", adjustment_id=adjustment_id, legs=checked)
