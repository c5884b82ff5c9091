"""What a proposal would do, made from the books as they are: when it is proposed, and when it is posted."""

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from core.transactions import requires_transaction
from ledger.templates.adjustments import line_reassigned_entry
from ledger.templates.entry import Leg, Posting
from reconciliation.errors import AdjustmentInvalid
from reconciliation.matching.types import Movement
from reconciliation.models import Discrepancy, SettlementLine
from reconciliation.resolving.books import AdjustmentBooks, books_for
from reconciliation.resolving.facts import Facts, facts_of
from reconciliation.resolving.known import find_movement, is_posted, pairing_of
from reconciliation.resolving.moving import legs_between, meaning_of
from reconciliation.resolving.templates import NO_ENTRY, Made, make

__all__ = ["MATCH", "Plan", "plan", "reassigned"]

MATCH = "match"


@dataclass(frozen=True)
class Plan:
    """What is known, what is to be posted, and for a match the movement that the line is."""

    facts: Facts
    made: Made
    movement: Movement | None = None


@requires_transaction
def plan(
    row: Discrepancy, template: str, parameters: dict[str, Any], *, adjustment_id: UUID, day: date
) -> Plan:
    """Return what a template with these parameters does for a break.

    Raises AdjustmentInvalid when it does not fit the break as it is.
    """
    facts = facts_of(row)
    if template == MATCH:
        return _plan_match(facts, parameters, adjustment_id, day)
    if template == NO_ENTRY:
        if parameters:
            raise AdjustmentInvalid("There are no parameters where there is no entry.", param="parameters")
        return Plan(facts, Made(0, (), []))
    if row.source is None:
        raise AdjustmentInvalid("The break is of no source, so that nothing says whose books it is in.")
    books = books_for(row.source, row.currency)
    return Plan(facts, make(template, facts, parameters, books=books, adjustment_id=adjustment_id, day=day))


def _plan_match(facts: Facts, parameters: dict[str, Any], adjustment_id: UUID, day: date) -> Plan:
    row, line = facts.row, facts.line
    if not isinstance(line, SettlementLine) or facts.file is None or facts.is_matched or row.source is None:
        raise AdjustmentInvalid("Only a line of a provider's file that has no movement yet can be matched.")
    if not is_posted(facts.file.id):
        raise AdjustmentInvalid("The file is still being posted: match the line when that is done.")
    movement = find_movement(row.source, parameters)
    match = pairing_of(line, movement)
    books = books_for(row.source, line.currency)
    posted_id = facts.clearing_key.removeprefix("line:")
    before = meaning_of(line, (), posted_id=int(posted_id))
    legs = legs_between([before], [meaning_of(line, [match])], file=facts.file, books=books)
    legs += _unparked(facts, books)
    made = reassigned(row, legs, books=books, adjustment_id=adjustment_id, day=day)
    return Plan(facts, made, movement)


def _unparked(facts: Facts, books: AdjustmentBooks) -> list[Leg]:
    """What A1 put into suspense is not unknown any more: it is taken back with the entry."""
    parked = facts.parked
    if parked is None:
        return []
    return [
        Leg(books.account(parked.role), -parked.amount_minor, parked.key, facts.row.currency),
        Leg(books.account("psp_clearing"), parked.amount_minor, parked.key, facts.row.currency),
    ]


def reassigned(
    row: Discrepancy, legs: list[Leg], *, books: AdjustmentBooks, adjustment_id: UUID, day: date
) -> Made:
    """Return the entry of legs that lead from one meaning to another. Raises AdjustmentInvalid for none."""
    if not any(leg.amount_minor for leg in legs):
        raise AdjustmentInvalid("Nothing in the books would change by this.")
    posting = Posting(row.merchant_id, row.currency, day)
    draft = line_reassigned_entry(posting=posting, adjustment_id=adjustment_id, legs=legs)
    return Made(row.amount_minor, (draft,), books.describe([draft]))
