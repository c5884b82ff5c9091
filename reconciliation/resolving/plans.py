"""What a proposal would do, made from the books as they are: when it is proposed, and when it is posted."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from core.transactions import requires_transaction
from ledger.templates.adjustments import line_reassigned_entry
from ledger.templates.entry import Leg, Posting
from payments.types import Receipt
from reconciliation.errors import AdjustmentInvalid
from reconciliation.matching.types import Movement
from reconciliation.models import Discrepancy, SettlementLine, SettlementSource
from reconciliation.resolving.at_bank import AT_BANK, plan_at_bank
from reconciliation.resolving.books import AdjustmentBooks, books_for
from reconciliation.resolving.denying import DENIED, Denial, plan_denied
from reconciliation.resolving.facts import Facts, facts_of
from reconciliation.resolving.identifying import also_posted, charge_made_by, receipt_of, to_be_charge
from reconciliation.resolving.known import find_movement, is_posted, pairing_of
from reconciliation.resolving.meanings import IDENTIFIED, MATCH
from reconciliation.resolving.moving import legs_between, meaning_of
from reconciliation.resolving.templates import NO_ENTRY, Made, make

__all__ = ["Plan", "plan", "reassigned"]


@dataclass(frozen=True)
class Plan:
    """What is known, what is to be posted, and for a match the movement that the line is.

    `receipt` is what pay-in is told of when the line becomes a payment, `denial` what it is told of one that
    its provider denies: that one is posted with it, and has no drafts.
    """

    facts: Facts
    made: Made
    movement: Movement | None = None
    receipt: Receipt | None = None
    denial: Denial | None = None


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
    if template == IDENTIFIED:
        return _plan_identified(facts, parameters, adjustment_id, day)
    if template == NO_ENTRY:
        if parameters:
            raise AdjustmentInvalid("There are no parameters where there is no entry.", param="parameters")
        return Plan(facts, Made(0, (), []))
    if row.source is None:
        raise AdjustmentInvalid("The break is of no source, so that nothing says whose books it is in.")
    books = books_for(row.source, row.currency)
    if template in AT_BANK:
        made = plan_at_bank(facts, template, parameters, books=books, adjustment_id=adjustment_id, day=day)
        return Plan(facts, made)
    if template == DENIED:
        made, denial = plan_denied(facts, parameters, books)
        return Plan(facts, made, denial=denial)
    return Plan(facts, make(template, facts, parameters, books=books, adjustment_id=adjustment_id, day=day))


def _plan_match(facts: Facts, parameters: dict[str, Any], adjustment_id: UUID, day: date) -> Plan:
    _, source = _alone(facts)
    return _paired(facts, find_movement(source, parameters), adjustment_id, day)


def _plan_identified(facts: Facts, parameters: dict[str, Any], adjustment_id: UUID, day: date) -> Plan:
    """A2: the line is matched with the payment that the order gets; together it is what the books say."""
    line, source = _alone(facts)
    if facts.parked is None or facts.parked.role != "suspense_receipts":
        raise AdjustmentInvalid(
            "Only a receipt that is parked in suspense can be an order's.", param="template"
        )
    receipt = receipt_of(source, line, parameters)
    charge_id = charge_made_by(adjustment_id)
    also = also_posted(receipt, charge_id)
    paired = _paired(facts, to_be_charge(receipt, charge_id), adjustment_id, day)
    return replace(paired, made=replace(paired.made, also=also), receipt=receipt)


def _alone(facts: Facts) -> tuple[SettlementLine, SettlementSource]:
    """Return the line of a break, which has no movement yet and is in the books, and its source."""
    row, line = facts.row, facts.line
    if not isinstance(line, SettlementLine) or facts.file is None or facts.is_matched or row.source is None:
        raise AdjustmentInvalid("Only a line of a provider's file that has no movement yet can be matched.")
    if not is_posted(facts.file.id):
        raise AdjustmentInvalid("The file is still being posted: match the line when that is done.")
    return line, row.source


def _paired(facts: Facts, movement: Movement, adjustment_id: UUID, day: date) -> Plan:
    row, (line, source) = facts.row, _alone(facts)
    assert facts.file is not None
    match = pairing_of(line, movement)
    books = books_for(source, line.currency)
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
