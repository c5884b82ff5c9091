"""What a proposal would post, and what changed since one was made: for those who look before they decide."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from core import clock
from core.errors import NotFound
from core.models import Approval
from reconciliation.errors import AdjustmentInvalid
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.resolving.at_bank import Choice, choices_at_bank
from reconciliation.resolving.books import shown_lines
from reconciliation.resolving.evidence import evidence_of
from reconciliation.resolving.facts import facts_of
from reconciliation.resolving.plans import plan
from reconciliation.resolving.types import Prepared
from reconciliation.resolving.writing import Terms, instruction_of

__all__ = ["changed_since", "choices_for", "preview_adjustment"]


@transaction.atomic
def preview_adjustment(
    *, discrepancy_id: UUID, template: str, parameters: Mapping[str, Any] | None = None
) -> Prepared:
    """Return the entry that a proposal of this template would be, if it were made today. Keeps nothing.

    Raises NotFound, and AdjustmentInvalid where it does not fit the break as it is.
    """
    row = Discrepancy.objects.select_related("source").filter(pk=discrepancy_id).first()
    if row is None:
        raise NotFound()
    day = max(clock.today(), row.business_date)
    try:
        made = plan(row, template, dict(parameters or {}), adjustment_id=uuid4(), day=day).made
    finally:
        # Accounts that would be opened for it are not: nobody has proposed anything.
        transaction.set_rollback(True)
    return Prepared(template, made.amount_minor, shown_lines(made.lines, made.also))


@transaction.atomic
def choices_for(*, discrepancy_id: UUID, template: str) -> list[Choice]:
    """Return what may be named with a template for a break, what fits best first. Raises NotFound."""
    row = Discrepancy.objects.select_related("source").filter(pk=discrepancy_id).first()
    if row is None:
        raise NotFound()
    return choices_at_bank(facts_of(row), template)


@transaction.atomic
def changed_since(*, approval_id: UUID) -> tuple[str, ...]:
    """Return what is not any more as it was when a proposal was made: for that nobody can say yes.

    The names are those of the instruction; "template" alone says that the entry does not fit any more. Empty
    when all is as it was, and for approvals of anything but proposals. Keeps nothing.
    """
    approval = Approval.objects.filter(pk=approval_id).first()
    key = approval.instruction.get("adjustment") if approval else None
    found = Adjustment.objects.select_related("discrepancy__source").filter(pk=key).first() if key else None
    if approval is None or found is None:
        return ()
    try:
        now = _as_it_is(found)
    except AdjustmentInvalid:
        return ("template",)
    finally:
        transaction.set_rollback(True)
    then: Mapping[str, Any] = approval.instruction
    return tuple(sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name)))


def _as_it_is(adjustment: Adjustment) -> dict[str, Any]:
    row, said = adjustment.discrepancy, adjustment.instruction
    day = date.fromisoformat(said["effective_date"])
    made = plan(row, adjustment.template, said["parameters"], adjustment_id=adjustment.id, day=day)
    terms = Terms(
        adjustment.id, adjustment.template, said["parameters"], said["reason"], day, evidence_of(made.facts)
    )
    return instruction_of(row, terms, made.made)
