"""Payouts that wait: those that were stopped are let go when nothing stops them; a yes is asked for anew."""

from collections.abc import Iterator
from uuid import UUID

from django.db.models import CharField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from core.history import Changes
from core.models import Approval
from core.transactions import at_edge
from payouts.engine.approving import ACTION, ask_again, subject_of
from payouts.engine.facts import payout_fact
from payouts.engine.gates import closed_gate
from payouts.locks import lock_payout
from payouts.models import Payout

__all__ = ["let_go", "reconsider"]

_PORTION = 500


def reconsider() -> tuple[int, int]:
    """Look again at all that waits, each in its own transaction; return how many may leave or were asked."""
    freed = sum(let_go(payout_id) for payout_id in _keys(Payout.objects.filter(status="BLOCKED")))
    pending = Approval.objects.filter(
        subject=Concat(Value(subject_of("")), Cast(OuterRef("pk"), CharField())),
        action=ACTION,
        status="PENDING",
    )
    nobody_can = Payout.objects.filter(status="IN_REVIEW").exclude(Exists(pending))
    asked = sum(at_edge(ask_again)(payout_id=payout_id) for payout_id in _keys(nobody_can))
    return freed, asked


@at_edge
def let_go(payout_id: UUID) -> bool:
    """Let a stopped payout leave when its gates are open; the yes that was given stands."""
    payout = lock_payout(payout_id=payout_id)
    if payout.status != "BLOCKED":
        return False
    gate = closed_gate(payout)
    if gate is not None:
        if gate.says[:200] != payout.why_held:
            payout.why_held = gate.says[:200]
            payout.save(update_fields=["why_held"])
        return False
    changes = Changes()
    fact = payout_fact(payout, "approved")
    changes.move(payout, payout.to_approved, why="nothing stops it any more", fact=fact)
    changes.wake("payouts")
    changes.save()
    return True


def _keys(rows: QuerySet[Payout]) -> Iterator[UUID]:
    """Every key, a portion at a time: what waits for long keeps nobody from being looked at."""
    last = UUID(int=0)
    while portion := list(rows.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:_PORTION]):
        yield from portion
        last = portion[-1]
