"""What a provider tells of a dispute, by webhook or when asked: the same facts, in any order.

Every telling is a whole snapshot, with all movements of money so far. Movements are posted as soon as any
snapshot shows them; the state follows the snapshot that is furthest along, and what is older changes nothing.
"""

from datetime import timedelta
from uuid import UUID

from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import public_id
from core.rows import new_row
from core.transactions import requires_transaction
from events.errors import NotYet
from events.types import InboundEvent
from payments.engine.charges import charge_money
from payments.engine.disputes.facts import dispute_fact
from payments.engine.disputes.lines import new_lines
from payments.engine.disputes.locks import DisputeScope, lock_dispute_of
from payments.engine.disputes.overlaps import settle_excess
from payments.engine.disputes.verdicts import Step
from payments.locks import ChargeScope, lock_charge
from payments.models import Charge, Dispute, DisputeLine, DisputeMovement, PspOperation
from payments.psp.contract import adapter_for
from payments.psp.disputes import DisputeStage, PspDispute, PspMovement

__all__ = ["PSP", "on_dispute_event", "see_dispute", "take_dispute"]

PSP = "psp"
_CASE_DUE = timedelta(hours=24)
# Among snapshots with as many movements, the one that stands later here is newer.
_ORDER = (
    DisputeStage.INQUIRY,
    DisputeStage.INQUIRY_ANSWERED,
    DisputeStage.NEEDS_RESPONSE,
    DisputeStage.UNDER_REVIEW,
    DisputeStage.INQUIRY_CLOSED,
    DisputeStage.PREVENTED,
    DisputeStage.LOST,
    DisputeStage.WON,
)
_KEEP = """
    UPDATE payments_dispute SET reason = %s, network_reason_code = %s, evidence_due_at = %s,
        evidence_sent_at = %s, submissions = %s, seen_rank = %s, round = %s, is_held = %s, taken_minor = %s,
        fee_minor = %s, updated_at = %s
    WHERE id = %s
"""


@requires_transaction
def on_dispute_event(*, delivery: InboundEvent) -> None:
    """Apply a verified webhook about a dispute. Raises NotYet when its payment is not here yet."""
    seen = adapter_for(delivery.provider).read_dispute_event(payload=delivery.payload)
    if seen is not None:
        take_dispute(channel_id=delivery.channel_id, seen=seen)


@requires_transaction
def take_dispute(*, channel_id: UUID, seen: PspDispute) -> None:
    """Apply what a provider tells of a dispute, the first time or again.

    Raises NotYet when the payment is not here, or not captured, yet: the event is parked, never dropped.
    """
    charge_id = (
        Charge.objects.filter(channel_id=channel_id, psp_reference=seen.payment_reference)
        .values_list("id", flat=True)
        .first()
    )
    if not seen.payment_reference or charge_id is None:
        raise NotYet(f"no charge has the reference {seen.payment_reference}")
    charge = lock_charge(charge_id=charge_id)
    assert charge is not None, "charges are never deleted"
    if charge.charge.status != "CAPTURED":
        raise NotYet(f"the charge is {charge.charge.status}, not captured yet")
    changes = Changes()
    known = Dispute.objects.filter(channel_id=channel_id, psp_reference=seen.reference).first()
    if known is not None and known.charge_id != charge_id:
        _conflict(charge, seen, "it is one of another payment")
    elif differs := _difference(charge, known, seen):
        _conflict(charge, seen, differs)
    else:
        scope = lock_dispute_of(charge, dispute_id=known.id) if known else _new_dispute(charge, seen, changes)
        see_dispute(scope, seen, changes)
        changes.save()


@requires_transaction
def see_dispute(scope: DisputeScope, seen: PspDispute, changes: Changes, *, by: str = PSP) -> None:
    """Apply a snapshot to a locked dispute: new movements, and the state if it is not older than ours."""
    dispute = scope.dispute
    verdict = dispute.verdict
    step = Step(scope, changes, by)
    known = set(DisputeMovement.objects.filter(dispute=dispute).values_list("psp_reference", flat=True))
    for number, movement in enumerate(seen.movements, 1):
        if movement.reference not in known:
            _move(step, movement, number, changes)
    rank = len(seen.movements) * 10 + _ORDER.index(seen.stage)
    if rank >= dispute.seen_rank:
        dispute.seen_rank = rank
        dispute.reason, dispute.network_reason_code = seen.reason, seen.network_reason_code
        dispute.evidence_due_at, dispute.submissions = seen.evidence_due_at, seen.submissions
        _follow(step, seen)
    if dispute.verdict == "won" != verdict:
        settle_excess(
            charge_id=dispute.charge_id,
            orders=scope.orders,
            changes=changes,
            shares=scope.shares,
            but=dispute.id,
            by=by,
        )
    keep_dispute(dispute, changes)


def keep_dispute(dispute: Dispute, changes: Changes) -> None:
    """Write what changed beside the state, after the moves that were made before."""
    changes.run(
        _KEEP,
        [
            dispute.reason,
            dispute.network_reason_code,
            dispute.evidence_due_at,
            dispute.evidence_sent_at,
            dispute.submissions,
            dispute.seen_rank,
            dispute.round,
            dispute.is_held,
            dispute.taken_minor,
            dispute.fee_minor,
            clock.now(),
            dispute.id,
        ],
    )


def _new_dispute(charge: ChargeScope, seen: PspDispute, changes: Changes) -> DisputeScope:
    at = clock.now()
    dispute = Dispute(
        merchant_id=charge.charge.merchant_id,
        charge=charge.charge,
        channel_id=charge.charge.channel_id,
        psp_reference=seen.reference,
        amount=charge_money(seen.amount_minor, seen.currency),
        amount_minor=seen.amount_minor,
        reason=seen.reason,
        network_reason_code=seen.network_reason_code,
        evidence_due_at=seen.evidence_due_at,
        asked_at=at,
        opened_at=seen.opened_at,
        created_at=at,
        updated_at=at,
    )
    lines = new_lines(charge, dispute)
    orders = {order.id: order for order in charge.orders}
    is_inquiry = seen.stage in (DisputeStage.INQUIRY, DisputeStage.INQUIRY_ANSWERED)
    shown = DisputeScope(charge, dispute, lines, {})
    fact = dispute_fact(shown, "inquiry_opened") if is_inquiry and not seen.movements else None
    changes.begin(dispute, why="told by the provider", by=PSP, fact=fact)
    dispute.save(force_insert=True)
    DisputeLine.objects.bulk_create(lines)
    assert set(orders) >= {line.order_id for line in lines}, "a line is of an order of its charge"
    return lock_dispute_of(charge, dispute_id=dispute.id)


def _move(step: Step, movement: PspMovement, number: int, changes: Changes) -> None:
    dispute = step.scope.dispute
    row = new_row(
        DisputeMovement,
        merchant_id=dispute.merchant_id,
        dispute_id=dispute.id,
        channel_id=dispute.channel_id,
        psp_reference=movement.reference,
        number=number,
        kind="withdrawn" if movement.is_withdrawal else "reinstated",
        amount_minor=movement.amount_minor,
        fee_minor=movement.fee_minor,
        moved_at=movement.moved_at,
        recorded_at=clock.now(),
    )
    changes.insert([row])
    if movement.is_withdrawal:
        step.withdrawn(row)
    else:
        step.reinstated(row)


def _follow(step: Step, seen: PspDispute) -> None:
    """Bring the state where the provider says that it is."""
    dispute, stage = step.scope.dispute, seen.stage
    if stage is DisputeStage.INQUIRY_ANSWERED:
        step.evidence_sent(why="answered")
    elif stage in (DisputeStage.INQUIRY_CLOSED, DisputeStage.PREVENTED) and dispute.status == "INQUIRY":
        step.close(why=f"{stage.replace('_', ' ')} at the provider")
    elif stage is DisputeStage.NEEDS_RESPONSE:
        step.open(why="the bank takes the money back")
    elif stage is DisputeStage.UNDER_REVIEW:
        step.open(why="the bank takes the money back")
        if dispute.status == "OPEN":
            _tell_if_answered_elsewhere(dispute)
            step.evidence_sent(why="the bank has the answer")
    elif stage in (DisputeStage.WON, DisputeStage.PREVENTED) and dispute.verdict != "won":
        step.win(why=f"{stage} at the provider")
    elif stage is DisputeStage.LOST and dispute.verdict != "lost":
        step.lose(why="lost at the provider")


def _tell_if_answered_elsewhere(dispute: Dispute) -> None:
    ours = PspOperation.objects.filter(dispute=dispute, kind="evidence")
    if ours.exclude(status__in=("DECLINED", "CANCELED")).exists():
        return
    open_case(
        kind="dispute_answered_elsewhere",
        due_in=_CASE_DUE,
        subject=public_id("dp", dispute.id),
        summary=f"{dispute.psp_reference} was answered at the provider, not through us",
        merchant_id=dispute.merchant_id,
        value_minor=dispute.amount_minor,
        currency=dispute.currency,
    )


def _difference(charge: ChargeScope, known: Dispute | None, seen: PspDispute) -> str:
    """Authentic is not valid: what is disputed is money of this payment, in its currency."""
    ours = charge.charge
    if seen.currency != ours.amount_currency or any(
        each.currency != seen.currency for each in seen.movements
    ):
        return f"it is in another currency than {ours.amount_currency}"
    if not 0 < seen.amount_minor <= ours.captured_minor:
        return f"it is of {seen.amount_minor} of {ours.captured_minor} that were captured"
    if known is not None and known.amount_minor != seen.amount_minor:
        return f"it was of {known.amount_minor} and is of {seen.amount_minor} now"
    if any(each.amount_minor != seen.amount_minor for each in seen.movements):
        return "a movement is of another amount than the dispute"
    return ""


def _conflict(charge: ChargeScope, seen: PspDispute, differs: str) -> None:
    open_case(
        kind="dispute_conflict",
        due_in=_CASE_DUE,
        subject=public_id("chg", charge.charge.id),
        detail={"charge_id": str(charge.charge.id), "reference": seen.reference},
        summary=f"The dispute {seen.reference} cannot be this payment's: {differs}"[:500],
        merchant_id=charge.charge.merchant_id,
        value_minor=charge.charge.captured_minor,
        currency=str(charge.charge.amount_currency),
    )
