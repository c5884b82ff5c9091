"""O1 to O6: money that leaves to sellers, and money that comes back.

Cancelled and sent share a leg: the hold of a payout is resolved once, whoever comes first.
"""

from collections.abc import Sequence
from uuid import UUID

from ledger.templates.accounts import SellerAccounts
from ledger.templates.entry import Key, Keyed, Posting, check_minor, chunks, credit, debit, entry, total
from ledger.types import EntryDraft

__all__ = [
    "payout_cancel_entry",
    "payout_paid_entries",
    "payout_rejection_entry",
    "payout_request_entry",
    "payout_return_credit_entry",
    "payout_return_entry",
    "payout_sent_entry",
    "payout_transfer_entry",
]


def payout_request_entry(
    *, posting: Posting, seller: SellerAccounts, payout_id: UUID, amount_minor: int, fee_minor: int = 0
) -> EntryDraft:
    """O1: a payout and its fee are set aside. Dr seller_available; Cr seller_payout_hold."""
    whole = check_minor(amount_minor) + check_minor(fee_minor)
    return entry(
        posting=posting,
        kind="payout_requested",
        source="payout",
        source_ref=payout_id,
        leg="requested",
        legs=[debit(seller.available, whole), credit(seller.payout_hold, whole)],
    )


def payout_cancel_entry(
    *, posting: Posting, seller: SellerAccounts, payout_id: UUID, amount_minor: int, fee_minor: int = 0
) -> EntryDraft:
    """O2: cancelled, or refused by risk. Dr seller_payout_hold; Cr seller_available."""
    whole = check_minor(amount_minor) + check_minor(fee_minor)
    return entry(
        posting=posting,
        kind="payout_cancelled",
        source="payout",
        source_ref=payout_id,
        leg="hold_resolved",
        legs=[debit(seller.payout_hold, whole), credit(seller.available, whole)],
    )


def payout_sent_entry(
    *,
    posting: Posting,
    seller: SellerAccounts,
    payouts_in_transit: int,
    payout_fee: int,
    payout_id: UUID,
    amount_minor: int,
    fee_minor: int = 0,
) -> EntryDraft:
    """O3: the bank accepted the payout. Dr seller_payout_hold; Cr payouts_in_transit, payout_fee."""
    return entry(
        posting=posting,
        kind="payout_sent",
        source="payout",
        source_ref=payout_id,
        leg="hold_resolved",
        legs=[
            debit(seller.payout_hold, check_minor(amount_minor) + check_minor(fee_minor)),
            credit(payouts_in_transit, amount_minor, key=payout_id),
            credit(payout_fee, fee_minor),
        ],
    )


def payout_paid_entries(
    *,
    posting: Posting,
    payouts_in_transit: int,
    payout_fee_expense: int,
    bank: int,
    bank_line_id: Key,
    payouts: Sequence[Keyed],
    fee_minor: int = 0,
) -> tuple[EntryDraft, ...]:
    """O4: one line of the statement pays one payout or a whole file. Dr payouts_in_transit, fee; Cr bank.

    One entry per 500 payouts; the bank's own fee is in the first.
    """
    check_minor(fee_minor)
    return tuple(
        entry(
            posting=posting,
            kind="payouts_paid",
            source="bank_line",
            source_ref=f"{bank_line_id}:{number}",
            leg="payouts",
            legs=[
                *(debit(payouts_in_transit, payout.amount_minor, key=payout.key) for payout in chunk),
                debit(payout_fee_expense, fee_minor if number == 1 else 0),
                credit(bank, total(chunk) + (fee_minor if number == 1 else 0)),
            ],
        )
        for number, chunk in chunks(payouts)
    )


def payout_transfer_entry(
    *, posting: Posting, payouts_in_transit: int, psp_clearing: int, payout_id: UUID, amount_minor: int
) -> EntryDraft:
    """O4b: paid out of the balance at the PSP. Dr payouts_in_transit; Cr psp_clearing under the payout.

    The PSP's own report has a line with a negative gross for it (P4), which closes psp_clearing.
    """
    return entry(
        posting=posting,
        kind="payout_transferred",
        source="payout",
        source_ref=payout_id,
        leg="transferred",
        legs=[
            debit(payouts_in_transit, amount_minor, key=payout_id),
            credit(psp_clearing, amount_minor, key=payout_id),
        ],
    )


def payout_rejection_entry(
    *,
    posting: Posting,
    seller: SellerAccounts,
    payouts_in_transit: int,
    payout_fee: int,
    payout_id: UUID,
    amount_minor: int,
    fee_minor: int = 0,
) -> EntryDraft:
    """O5: rejected before money left. Dr payouts_in_transit, payout_fee; Cr seller_available."""
    return entry(
        posting=posting,
        kind="payout_rejected",
        source="payout",
        source_ref=payout_id,
        leg="rejected",
        legs=[
            debit(payouts_in_transit, amount_minor, key=payout_id),
            debit(payout_fee, fee_minor),
            credit(seller.available, check_minor(amount_minor) + check_minor(fee_minor)),
        ],
    )


def payout_return_entry(
    *,
    posting: Posting,
    bank: int,
    payout_returns: int,
    return_id: Key,
    amount_minor: int,
    bank_line_id: Key | None = None,
) -> EntryDraft:
    """O6a: money of a payout comes back to the bank. Dr bank; Cr payout_returns, until it is identified.

    Posted with its statement it is the entry of that line (`bank_line_id`).
    """
    return entry(
        posting=posting,
        kind="payout_return_received",
        source="payout_return" if bank_line_id is None else "bank_line",
        source_ref=return_id if bank_line_id is None else bank_line_id,
        leg="received",
        legs=[debit(bank, amount_minor), credit(payout_returns, amount_minor, key=return_id)],
    )


def payout_return_credit_entry(
    *,
    posting: Posting,
    seller: SellerAccounts,
    payout_returns: int,
    payout_fee: int,
    return_id: Key,
    amount_minor: int,
    fee_minor: int = 0,
) -> EntryDraft:
    """O6b: the return is whose it is, less a fee. Dr payout_returns; Cr seller_available, payout_fee.

    Raises ValueError when the fee is more than the amount.
    """
    return entry(
        posting=posting,
        kind="payout_return_credited",
        source="payout_return",
        source_ref=return_id,
        leg="credited",
        legs=[
            debit(payout_returns, amount_minor, key=return_id),
            credit(seller.available, check_minor(amount_minor) - check_minor(fee_minor)),
            credit(payout_fee, fee_minor),
        ],
    )
