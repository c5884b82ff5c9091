"""B1 to B3: what a bank statement shows that is neither a settlement nor a payout."""

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.templates.entry import Key, Posting, chunks, entry, signed, sum_minor
from ledger.types import EntryDraft

__all__ = ["ReversedLeg", "bank_charge_entry", "bank_opening_entry", "bank_reversal_entries"]


def bank_charge_entry(
    *, posting: Posting, bank: int, bank_fee: int, bank_line_id: Key, amount_minor: int
) -> EntryDraft:
    """B1: what the bank takes for itself. Dr bank_fee; Cr bank. A negative amount comes back."""
    return entry(
        posting=posting,
        kind="bank_charge",
        source="bank_line",
        source_ref=bank_line_id,
        leg="charge",
        legs=[signed(bank_fee, amount_minor), signed(bank, -amount_minor)],
    )


@dataclass(frozen=True)
class ReversedLeg:
    """A leg that was posted for a line, beside that of the bank; a debit is positive."""

    account_id: int
    amount_minor: int
    key: Key | None = None


def bank_reversal_entries(
    *, posting: Posting, bank: int, bank_line_id: Key, legs: Sequence[ReversedLeg]
) -> tuple[EntryDraft, ...]:
    """B2: the bank takes an earlier line back: the legs that were posted for that one, the other way round.

    No correction: both happened at the bank, each on its day. Together they are zero.
    """
    return tuple(
        entry(
            posting=posting,
            kind="bank_line_reversed",
            source="bank_line",
            source_ref=f"{bank_line_id}:{number}",
            leg="reversal",
            legs=[
                signed(bank, sum_minor(leg.amount_minor for leg in chunk)),
                *(signed(leg.account_id, -leg.amount_minor, key=leg.key) for leg in chunk),
            ],
        )
        for number, chunk in chunks(legs)
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
