"""A line of nothing we know turns out to be a payment that we know by now: the books follow.

The line was posted under a key of its own, and a rule may have parked it in suspense (A1). Both are led over
to the payment in one entry. It moves no money that anybody may spend, and is the same as if the payment had
been known at once, so that no person is asked.
"""

from collections.abc import Mapping
from uuid import UUID

from core import clock
from core.audit_trail import record_audit
from core.history import Changes
from core.ids import uuid7
from core.transactions import requires_transaction
from reconciliation.errors import AdjustmentInvalid
from reconciliation.locks import lock_discrepancies, lock_proposals
from reconciliation.matching.rules import PARKS
from reconciliation.matching.types import Movement
from reconciliation.models import Discrepancy
from reconciliation.resolving.books import post_drafts
from reconciliation.resolving.evidence import evidence_of
from reconciliation.resolving.facts import family_of, standing
from reconciliation.resolving.known import named
from reconciliation.resolving.meanings import MATCH
from reconciliation.resolving.plans import plan
from reconciliation.resolving.writing import Terms, begin_adjustment

__all__ = ["KNOWN_LATER", "lead_over"]

KNOWN_LATER = "known_later"


@requires_transaction
def lead_over(found: Mapping[UUID, Movement]) -> set[UUID]:
    """Lead what the lines of these breaks posted over to movements, before they match; return for which.

    Left out are breaks that people are at: something is proposed, or was posted otherwise than by A1.
    """
    return {row.id for row in lock_discrepancies(ids=list(found)) if _lead_over(row, found[row.id])}


def _lead_over(row: Discrepancy, movement: Movement) -> bool:
    posted = standing([each.id for each in family_of(row)])
    if row.status == "RESOLVED" or lock_proposals(discrepancies=[row.id]):
        return False
    if any(each.template not in PARKS for each in posted):
        return False
    adjustment_id, day = uuid7(), max(clock.today(), row.business_date)
    parameters, changes = named(movement.key), Changes()
    try:
        made = plan(row, MATCH, parameters, adjustment_id=adjustment_id, day=day)
    except AdjustmentInvalid:
        return False  # It is not posted yet, or something else than it looked like: the break stays.
    why = f"it is known now: {movement.kind} {movement.clearing_key}"[:200]
    terms = Terms(adjustment_id, MATCH, parameters, why, day, evidence_of(made.facts))
    by = f"rule:{KNOWN_LATER}"
    adjustment = begin_adjustment(
        row, terms, made.made, changes, maker=by, automatic=True, rule=(KNOWN_LATER, None)
    )
    [ref] = post_drafts(made.made.drafts)
    changes.move(adjustment, adjustment.to_posted, why=why, by=by, posted_at=clock.now(), entry_id=ref.id)
    changes.save()
    record_audit(
        actor=by,
        action="adjustment.post",
        subject=row.public_id,
        reason=why,
        detail={"adjustment": str(adjustment_id), "template": MATCH, "entry": ref.id},
        merchant_id=row.merchant_id,
    )
    return True
