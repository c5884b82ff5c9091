"""A person at the desk wants to know now: the provider is asked, and the desk's case has an owner."""

from uuid import UUID

from django.db.models import F
from django.db.models.functions import Greatest

from core import clock
from core.audit_trail import record_audit, required_reason
from core.cases import assign_case, close_case, release_case
from core.errors import InvalidState, NotFound
from core.ids import public_id
from core.models import Case
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.stuck import KINDS, STUCK, raise_stuck, waiting
from payments.locks import lock_charge
from payments.models import PspOperation

__all__ = ["ask_provider_now", "close_outcome", "give_back_outcome", "take_outcome"]


@requires_transaction
def ask_provider_now(*, charge_id: UUID, by: str, reason: str) -> int:
    """Have the provider asked about a charge now; return about how many operations.

    A look that a person asks for comes on top of the schedule. Raises ReasonRequired, NotFound, and
    InvalidState when nothing of the charge can be asked about: its outcome is known, people decide, or the
    work is a dead letter.
    """
    reason = required_reason(reason)
    scope = lock_charge(charge_id=charge_id)
    if scope is None:
        raise NotFound()
    open_now = [
        each.id
        for each in scope.operations
        if each.due_at is not None and each.status in ("SENT", "UNKNOWN", "PENDING")
    ]
    if not open_now:
        raise InvalidState("Nothing of this payment can be asked about now.")
    PspOperation.objects.filter(id__in=open_now).update(due_at=clock.now(), asked=Greatest(F("asked") - 1, 0))
    record_audit(
        actor=by,
        action="charge.ask_now",
        subject=public_id("chg", charge_id),
        reason=reason,
        detail={"operations": [public_id("op", each) for each in open_now]},
        merchant_id=scope.charge.merchant_id,
    )
    nudge("operations")
    return len(open_now)


@requires_transaction
def take_outcome(*, charge_id: UUID, by: str) -> None:
    """Make a payment without an outcome somebody's own; its case is opened if it has none yet.

    Raises InvalidState when the outcome is known and there is no case.
    """
    case = _case(charge_id)
    if case is None:
        found = waiting(only=[charge_id], limit=1)
        case = raise_stuck(found[0], by=by) if found else None
    if case is None:
        raise InvalidState("The outcome is known. Nothing is left to be done.")
    assign_case(case_id=case.pk, owner=by, by=by)


@requires_transaction
def give_back_outcome(*, charge_id: UUID, by: str, reason: str) -> None:
    """Put the case of a payment back into the queue. Raises NotFound, ReasonRequired, CaseClosed."""
    case = _case(charge_id)
    if case is None:
        raise NotFound()
    release_case(case_id=case.pk, by=by, reason=reason)


@requires_transaction
def close_outcome(*, charge_id: UUID, by: str, reason: str) -> None:
    """Close the case of a payment, with what became of it.

    Raises InvalidState while the outcome is missing: a case is not closed by wishing. NotFound,
    ReasonRequired, CaseClosed.
    """
    case = _case(charge_id)
    if case is None:
        raise NotFound()
    if waiting(only=[charge_id], limit=1):
        raise InvalidState("The outcome is still missing. The case closes when it is known.")
    close_case(case_id=case.pk, resolution=reason, by=by)


def _case(charge_id: UUID) -> Case | None:
    rows = Case.objects.filter(kind__in=KINDS, subject=public_id("chg", charge_id)).exclude(status="CLOSED")
    # A conflict says more than that the outcome was late.
    return min(rows, key=lambda case: case.kind == STUCK, default=None)
