"""What people do with a break without moving money: take it, give it back, write what they found."""

from uuid import UUID

from core import clock
from core.audit_trail import record_audit, required_reason
from core.errors import NotFound
from core.history import move
from core.transactions import requires_transaction
from reconciliation.errors import BreakStateConflict
from reconciliation.locks import lock_discrepancies
from reconciliation.models import Discrepancy, DiscrepancyNote

__all__ = ["assign_break", "comment_on_break", "release_break"]

_TEXT = 2000


@requires_transaction
def assign_break(*, discrepancy_id: UUID, owner: str, by: str) -> None:
    """Let a person deal with a break. Raises NotFound, and BreakStateConflict unless it is OPEN."""
    row = _locked(discrepancy_id)
    if row.status != "OPEN":
        raise BreakStateConflict()
    move(row, row.to_assigned, why=f"for {owner}", by=by, owner=owner)
    _record(row, "discrepancy.assign", by=by, detail={"owner": owner})


@requires_transaction
def release_break(*, discrepancy_id: UUID, by: str, reason: str) -> None:
    """Give a break back to the queue. Raises NotFound, ReasonRequired, BreakStateConflict unless ASSIGNED."""
    reason = required_reason(reason)
    row = _locked(discrepancy_id)
    if row.status != "ASSIGNED":
        raise BreakStateConflict()
    move(row, row.to_open, why=reason, by=by)
    _record(row, "discrepancy.release", by=by, reason=reason)


@requires_transaction
def comment_on_break(*, discrepancy_id: UUID, text: str, by: str) -> None:
    """Note something about a break, in whatever state it is. Raises NotFound, ReasonRequired for no text."""
    text = required_reason(text[:_TEXT]) if len(text.strip()) <= 500 else text.strip()[:_TEXT]
    row = Discrepancy.objects.filter(pk=discrepancy_id).first()
    if row is None:
        raise NotFound()
    DiscrepancyNote.objects.create(
        merchant_id=row.merchant_id, discrepancy=row, by=by, text=text, at=clock.now()
    )


def _locked(discrepancy_id: UUID) -> Discrepancy:
    rows = lock_discrepancies(ids=[discrepancy_id])
    if not rows:
        raise NotFound()
    return rows[0]


def _record(
    row: Discrepancy, action: str, *, by: str, reason: str = "", detail: dict[str, str] | None = None
) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=row.public_id,
        reason=reason,
        detail=detail,
        merchant_id=row.merchant_id,
    )
