"""How a line of a statement is posted: from what it was matched to; pure, but for accounts that are opened.

All of a line is posted, because the balance at the bank moved by all of it: what nobody knows, and what a
line has more than it should, waits in suspense under the line (A8, A9).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple
from uuid import UUID

from ledger.templates.adjustments import unidentified_payment_entry, unidentified_receipt_entry
from ledger.templates.bank_lines import ReversedLeg, bank_charge_entry, bank_reversal_entries
from ledger.templates.entry import Keyed, Posting
from ledger.templates.payouts import payout_paid_entries, payout_return_entry
from ledger.templates.settlement import deposit_entries
from ledger.types import EntryDraft
from reconciliation.banking.accounts import BankBooks
from reconciliation.banking.types import BankEntry, Part
from reconciliation.posting.keys import line_key

__all__ = ["Context", "Paid", "draft_line"]


class Paid(NamedTuple):
    """A part of a line with whose it is: the rail of a payout, the provider of a batch."""

    part: Part
    name: str


@dataclass(frozen=True)
class Context:
    """What is the same for all lines of a statement; `said_first` has the id of each in the books."""

    merchant_id: UUID
    books: BankBooks
    said_first: Mapping[int, int]

    def ref(self, line_id: int) -> int:
        """Return under which id a line is in the books."""
        return self.said_first.get(line_id, line_id)


def draft_line(
    context: Context,
    top: BankEntry,
    details: Sequence[BankEntry],
    parts: Iterable[Paid],
    *,
    reversed_legs: Sequence[ReversedLeg] = (),
) -> list[EntryDraft]:
    """Return the entries of a booking, numbered; they move the bank by all of its amount.

    `reversed_legs` are those of the line that this one takes back, where the books have that one already.
    """
    line = _Line(context, top)
    if reversed_legs:
        line.add(
            bank_reversal_entries(
                posting=line.posting, bank=context.books.bank, bank_line_id=line.ref, legs=reversed_legs
            )
        )
        return line.numbered()
    by_kind: dict[tuple[str, str], list[Part]] = defaultdict(list)
    for part, name in parts:
        by_kind[part.subject_kind, name].append(part)
    amounts = {each.id: each.amount_minor for each in (top, *details)}
    for (kind, name), found in sorted(by_kind.items()):
        if kind == "batch":
            line.deposit(name, found)
        elif kind == "sending":
            line.paid(name, found, amounts)
        elif kind == "sending_return":
            line.returned(name, found, amounts)
        elif kind == "bank_fee":
            line.charged(sum(part.amount_minor for part in found))
        elif kind == "bank_reversal":
            line.suspend(found[0].clearing_key, sum(part.amount_minor for part in found))
    known = {part.line_id for found in by_kind.values() for part in found}
    for each in details if known - {top.id} else ():
        if each.id not in known:
            line.suspend(line_key(line_id=context.ref(each.id)), each.amount_minor)
    line.suspend(line_key(line_id=context.ref(top.id)), top.amount_minor - line.moved)
    return line.numbered()


class _Line:
    """One booking in the making; `moved` is what its entries have moved the bank by."""

    def __init__(self, context: Context, top: BankEntry) -> None:
        self._books, self._drafts = context.books, list[EntryDraft]()
        self.ref = str(context.ref(top.id))
        self.posting = Posting(context.merchant_id, top.currency, top.booked_on)
        self.moved = 0

    def add(self, drafts: Iterable[EntryDraft]) -> None:
        for draft in drafts:
            self._drafts.append(draft)
            self.moved += sum(
                each.amount_minor for each in draft.lines if each.account_id == self._books.bank
            )

    def numbered(self) -> list[EntryDraft]:
        """Entries of a line are found by its id and their number."""
        return [
            replace(draft, source_ref=f"{self.ref}:{number}") for number, draft in enumerate(self._drafts, 1)
        ]

    def deposit(self, provider: str, parts: Sequence[Part]) -> None:
        """P5."""
        self.add(
            deposit_entries(
                posting=self.posting,
                bank=self._books.bank,
                bank_fee=self._books.of("bank_fee"),
                in_transit=self._books.of("psp_settlement_in_transit", provider),
                bank_line_id=self.ref,
                batches=[Keyed(part.clearing_key, part.amount_minor) for part in parts],
                fee_minor=-sum(part.difference_minor for part in parts),
            )
        )

    def paid(self, rail: str, parts: Sequence[Part], amounts: Mapping[int, int]) -> None:
        """O4: each payout by what the bank shows of it, its fee apart."""
        fee = -sum(part.difference_minor for part in parts if part.rule.endswith("_fee"))
        self.add(
            payout_paid_entries(
                posting=self.posting,
                payouts_in_transit=self._books.of("payouts_in_transit", rail),
                payout_fee_expense=self._books.of("payout_fee_expense"),
                bank=self._books.bank,
                bank_line_id=self.ref,
                payouts=[Keyed(part.clearing_key, _covered(part, amounts)) for part in parts],
                fee_minor=fee,
            )
        )

    def returned(self, rail: str, parts: Sequence[Part], amounts: Mapping[int, int]) -> None:
        """O6a: what comes back of each; what the bank keeps for it is its fee."""
        for part in parts:
            self.add(
                [
                    payout_return_entry(
                        posting=self.posting,
                        bank=self._books.bank,
                        payout_returns=self._books.of("payout_returns", rail),
                        return_id=part.clearing_key,
                        amount_minor=_covered(part, amounts),
                        bank_line_id=self.ref,
                    )
                ]
            )
            if part.rule.endswith("_fee"):
                self.charged(part.difference_minor)

    def charged(self, amount_minor: int) -> None:
        """B1; the amount is what the bank's balance moves by."""
        self.add(
            [
                bank_charge_entry(
                    posting=self.posting,
                    bank=self._books.bank,
                    bank_fee=self._books.of("bank_fee"),
                    bank_line_id=self.ref,
                    amount_minor=-amount_minor,
                )
            ]
        )

    def suspend(self, key: str, amount_minor: int) -> None:
        """A8, A9: it waits under the line until somebody knows it."""
        if amount_minor > 0:
            draft = unidentified_receipt_entry(
                posting=self.posting,
                bank=self._books.bank,
                suspense_receipts=self._books.of("suspense_receipts"),
                line=Keyed(key, amount_minor),
                bank_line_id=self.ref,
            )
        elif amount_minor < 0:
            draft = unidentified_payment_entry(
                posting=self.posting,
                bank=self._books.bank,
                suspense_payments=self._books.of("suspense_payments"),
                line=Keyed(key, -amount_minor),
                bank_line_id=self.ref,
            )
        else:
            return
        self.add([draft])


def _covered(part: Part, amounts: Mapping[int, int]) -> int:
    """What of a payout a line pays, or brings back: where they differ, no more than either."""
    if part.rule == "reference_despite_amount":
        return min(abs(part.amount_minor), abs(amounts[part.line_id]))
    return abs(part.amount_minor)
