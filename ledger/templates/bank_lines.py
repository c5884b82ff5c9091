"""B1 to B3: what a bank statement shows that is neither a settlement nor a payout."""

from collections.abc import Sequence

from ledger.templates.entry import Key, Leg, Posting, entry, signed
from ledger.types import EntryDraft

__all__ = ["bank_charge_entry", "bank_opening_entry", "bank_reversal_entry"]


def bank_charge_entry(
    *, posting: Posting, bank: int, bank_fee: int, bank_line_id: Key, amount_minor: int
) -> EntryDraft:
    """B1: what the bank takes for itself. Dr bank_fee; Cr bank. A negative amount is one that it gives back."""
    return entry(
        posting=posting,
        kind="bank_charge",
        source="bank_line",
        source_ref=bank_line_id,
        leg="charge",
        legs=[signed(bank_fee, amount_minor), signed(bank, -amount_minor)],
    )


def bank_reversal_entry(*, posting: Posting, bank_line_id: Key, reversed_legs: Sequence[Leg]) -> EntryDraft:
    """B2: the bank takes an earlier line back: the legs that were posted for that one, the other way round.

    No correction: both happened at the bank, each on its day. Together they are zero.
    """
    return entry(
        posting=posting,
        kind="bank_line_reversed",
        source="bank_line",
        source_ref=bank_line_id,
        leg="reversal",
        legs=[leg._replace(amount_minor=-leg.amount_minor) for leg in reversed_legs],
    )


def bank_opening_entry(
    *, posting: Posting, bank: int, opening: int, statement_ref: Key, amount_minor: int
) -> EntryDraft:
    """B3: what an account held before its first statement is brought in. Dr bank; Cr opening.

    An overdrawn account, or a statement from before the first one, makes a negative amount.
    """
    return entry(
        posting=posting,
        kind="bank_balance_brought_in",
        source="bank_statement",
        source_ref=statement_ref,
        leg="opening",
        legs=[signed(bank, amount_minor), signed(opening, -amount_minor)],
    )
