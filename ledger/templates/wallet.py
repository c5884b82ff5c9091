"""W1 to W6: what buyers bring in, what they are given, and payments from their balance.

Confirm and cancel of a hold share a leg: whatever resolves it first stays the only one.
"""

from collections.abc import Sequence
from uuid import UUID

from ledger.templates.accounts import BuyerAccounts, SaleAccounts
from ledger.templates.capture import CapturedOrder, amount_of, sale_legs
from ledger.templates.entry import Key, Posting, check_minor, credit, debit, entry
from ledger.types import EntryDraft

__all__ = [
    "bonus_grant_entry",
    "hold_cancel_entry",
    "hold_confirm_entry",
    "hold_try_entry",
    "top_up_entry",
    "top_up_final_entry",
    "top_up_pending_entry",
    "top_up_return_entry",
]


def top_up_entry(
    *, posting: Posting, psp_clearing: int, wallet_available: int, charge_id: UUID, amount_minor: int
) -> EntryDraft:
    """W1: a buyer tops up. Dr psp_clearing; Cr wallet_available."""
    return entry(
        posting=posting,
        kind="wallet_topped_up",
        source="charge",
        source_ref=charge_id,
        leg="top_up",
        legs=[debit(psp_clearing, amount_minor, key=charge_id), credit(wallet_available, amount_minor)],
    )


def top_up_pending_entry(
    *, posting: Posting, psp_clearing: int, wallet_pending: int, charge_id: UUID, amount_minor: int
) -> EntryDraft:
    """W1b: a top-up on a slow rail, not spendable yet. Dr psp_clearing; Cr wallet_pending.

    It has the same leg as W1: a top-up is booked one way or the other.
    """
    return entry(
        posting=posting,
        kind="wallet_top_up_pending",
        source="charge",
        source_ref=charge_id,
        leg="top_up",
        legs=[debit(psp_clearing, amount_minor, key=charge_id), credit(wallet_pending, amount_minor)],
    )


def top_up_final_entry(
    *, posting: Posting, wallet_pending: int, wallet_available: int, charge_id: UUID, amount_minor: int
) -> EntryDraft:
    """W1b, second half: the slow top-up is final. Dr wallet_pending; Cr wallet_available."""
    return entry(
        posting=posting,
        kind="wallet_top_up_final",
        source="charge",
        source_ref=charge_id,
        leg="top_up_final",
        legs=[debit(wallet_pending, amount_minor), credit(wallet_available, amount_minor)],
    )


def top_up_return_entry(
    *,
    posting: Posting,
    psp_clearing: int,
    wallet: int,
    dispute_receivable: int,
    return_id: UUID,
    charge_id: UUID,
    taken_minor: int,
    missing_minor: int = 0,
) -> EntryDraft:
    """W1c, the contrary of W1: the provider refunded a top-up, or its rail took it back. Cr psp_clearing.

    Dr the wallet (available, or pending on a slow rail) as far as it has it, and dispute_receivable under
    the return's own key for what is not there any more, until somebody has it back or gives it up.
    """
    return entry(
        posting=posting,
        kind="wallet_top_up_returned",
        source="top_up_return",
        source_ref=return_id,
        leg="taken",
        legs=[
            debit(wallet, taken_minor),
            debit(dispute_receivable, missing_minor, key=return_id),
            credit(psp_clearing, check_minor(taken_minor) + check_minor(missing_minor), key=charge_id),
        ],
    )


def bonus_grant_entry(
    *, posting: Posting, promo: int, bonus_available: int, grant_id: Key, amount_minor: int
) -> EntryDraft:
    """W2: promotional credit is granted. Dr promo; Cr bonus_available."""
    return entry(
        posting=posting,
        kind="bonus_granted",
        source="promotion",
        source_ref=grant_id,
        leg="granted",
        legs=[debit(promo, amount_minor), credit(bonus_available, amount_minor)],
    )


def hold_try_entry(*, posting: Posting, buyer: BuyerAccounts, hold_id: UUID, amount_minor: int) -> EntryDraft:
    """W3: try, of cash, bonus or points alike. Dr available; Cr held, until confirm, cancel or time-out."""
    return entry(
        posting=posting,
        kind="hold_tried",
        source="hold",
        source_ref=hold_id,
        leg="try",
        legs=[debit(buyer.available, amount_minor), credit(buyer.held, amount_minor)],
    )


def hold_confirm_entry(
    *,
    posting: Posting,
    buyer: BuyerAccounts,
    accounts: SaleAccounts,
    hold_id: UUID,
    orders: Sequence[CapturedOrder],
    released_minor: int = 0,
) -> EntryDraft:
    """W4, W5, W2b: confirm, in full or in part, of cash or bonus.

    Dr held; Cr seller_pending, commission, tax_payable for what the orders cost, and available for the
    rest that is released.
    """
    return entry(
        posting=posting,
        kind="hold_confirmed",
        source="hold",
        source_ref=hold_id,
        leg="resolved",
        legs=[
            debit(buyer.held, amount_of(orders) + check_minor(released_minor)),
            *sale_legs(accounts=accounts, orders=orders),
            credit(buyer.available, released_minor),
        ],
    )


def hold_cancel_entry(
    *, posting: Posting, buyer: BuyerAccounts, hold_id: UUID, amount_minor: int
) -> EntryDraft:
    """W6: cancel or time-out. Dr held; Cr available."""
    return entry(
        posting=posting,
        kind="hold_cancelled",
        source="hold",
        source_ref=hold_id,
        leg="resolved",
        legs=[debit(buyer.held, amount_minor), credit(buyer.available, amount_minor)],
    )
