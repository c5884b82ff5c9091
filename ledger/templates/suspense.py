"""B4 to B6: what stood in suspense since a bank statement showed it is identified, or gone back.

The bank's balance moved with the statement (A8, A9): these move suspense alone. The source of each is the
adjustment.
"""

from collections.abc import Sequence
from uuid import UUID

from ledger.templates.entry import Keyed, Leg, Posting, debit, entry, signed, sum_minor
from ledger.types import EntryDraft

__all__ = ["identified_charge_entry", "identified_deposit_entry", "returned_receipt_entry"]


def identified_deposit_entry(
    *,
    posting: Posting,
    suspense: int,
    bank_fee: int,
    in_transit: int,
    adjustment_id: UUID,
    line: Keyed,
    batch: Keyed,
) -> EntryDraft:
    """B4: the line pays a batch of a PSP. Dr suspense, bank_fee; Cr in_transit. As P5, once A8 is posted.

    `line` is what the bank showed, `batch` what it pays: the bank kept the rest as its fee. Both are negative
    where the PSP collected a batch, which stood in suspense_payments.
    """
    shown, paid = sum_minor([line.amount_minor]), sum_minor([batch.amount_minor])
    return _of(
        posting,
        "deposit_identified",
        adjustment_id,
        [
            signed(suspense, shown, key=line.key),
            debit(bank_fee, paid - shown),
            signed(in_transit, -paid, key=batch.key),
        ],
    )


def identified_charge_entry(
    *, posting: Posting, suspense: int, bank_fee: int, adjustment_id: UUID, line: Keyed
) -> EntryDraft:
    """B5: the line is the bank's own. A charge is negative: Dr bank_fee; Cr suspense. Or it comes back."""
    return _of(
        posting,
        "bank_charge_identified",
        adjustment_id,
        [signed(suspense, line.amount_minor, key=line.key), signed(bank_fee, -line.amount_minor)],
    )


def returned_receipt_entry(
    *,
    posting: Posting,
    suspense_receipts: int,
    suspense_payments: int,
    adjustment_id: UUID,
    receipt: Keyed,
    payment: Keyed,
) -> EntryDraft:
    """B6: a receipt that nobody knows went back, or what was taken came back. Dr receipts; Cr payments.

    Two lines of statements, of the same amount. Raises ValueError for others.
    """
    if sum_minor([receipt.amount_minor]) != sum_minor([payment.amount_minor]):
        raise ValueError("what came and what went are not the same amount")
    return _of(
        posting,
        "suspense_offset",
        adjustment_id,
        [
            signed(suspense_receipts, receipt.amount_minor, key=receipt.key),
            signed(suspense_payments, -payment.amount_minor, key=payment.key),
        ],
    )


def _of(posting: Posting, kind: str, adjustment_id: UUID, legs: Sequence[Leg]) -> EntryDraft:
    return entry(
        posting=posting,
        kind=kind,
        source="adjustment",
        source_ref=adjustment_id,
        leg="adjustment",
        legs=legs,
    )
