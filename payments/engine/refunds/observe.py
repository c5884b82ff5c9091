"""What webhooks tell of refunds: ours before their answer, ours that fail days later, and others' refunds."""

from datetime import timedelta
from uuid import UUID

from core.cases import open_case
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.transactions import requires_transaction
from events.errors import NotYet
from events.types import InboundEvent
from payments.engine.differences import refund_difference
from payments.engine.outcome import apply_outcome
from payments.engine.refunds.adopt import adopt_refund, refund_case
from payments.engine.refunds.locks import lock_refund
from payments.engine.refunds.outcomes import FAILED_CASE, fail_refund, failure_of_refund
from payments.engine.top_up_returns import refunded_elsewhere
from payments.locks import ChargeScope, lock_charge, lock_operation
from payments.models import Charge, PspOperation
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus, ToldRefunds, adapter_for

__all__ = ["on_refund_event", "refund_operation"]

_WAITING = ("SENT", "UNKNOWN", "PENDING")
_KINDS = {
    PspStatus.REFUNDED: OutcomeKind.SUCCEEDED,
    PspStatus.PROCESSING: OutcomeKind.PENDING,
    PspStatus.DECLINED: OutcomeKind.DECLINED,
}


@requires_transaction
def on_refund_event(*, delivery: InboundEvent) -> None:
    """Apply a verified webhook about refunds: each refund once, whoever made it and whatever comes first.

    Raises NotYet when what it is about is not here yet; the event is parked, never dropped.
    """
    told = adapter_for(delivery.provider).read_refund_event(payload=delivery.payload)
    if told is None:
        return
    for seen in told.refunds:
        _apply(delivery, seen)
    if told.returned_minor:
        _compare(delivery, told)


def _apply(delivery: InboundEvent, seen: PspObject) -> None:
    scope = _find(delivery, seen)
    if scope is None:
        return
    operation = refund_operation(scope, seen)
    changes = Changes()
    if operation is None:
        adopt_refund(scope, seen, changes)
    elif differs := refund_difference(operation, seen):
        if operation.status in _WAITING:
            apply_outcome(scope, operation, _outcome(seen), changes)
        else:
            refund_case(scope, "refund_conflict", seen, f"it contradicts what we know of it: {differs}")
    elif operation.status in _WAITING:
        apply_outcome(scope, operation, _outcome(seen), changes)
    elif operation.status == "SUCCEEDED" and seen.status is PspStatus.DECLINED:
        _came_back(scope, operation, seen, changes)
    changes.save()


def _came_back(scope: ChargeScope, operation: PspOperation, seen: PspObject, changes: Changes) -> None:
    """The buyer's bank sent the money back, days after the refund had succeeded."""
    if operation.refund_id is None:
        refund_case(scope, FAILED_CASE, seen, "the refund of an overpayment came back; give it back by hand")
        return
    locked = lock_refund(refund_id=operation.refund_id)
    if locked.refund.status != "SUCCESS":
        return
    fail_refund(
        scope,
        locked,
        changes,
        failure=failure_of_refund(seen.decline.decline_code if seen.decline else ""),
        why="it came back to the provider",
        reference=seen.reference,
    )


def _outcome(seen: PspObject) -> Outcome:
    return Outcome(
        kind=_KINDS[seen.status],
        object=seen,
        decline=seen.decline,
        error="the refund failed" if seen.status is PspStatus.DECLINED else "",
    )


def _find(delivery: InboundEvent, seen: PspObject) -> ChargeScope | None:
    """Lock the charge that a refund is of: by our name of the refund, else by the payment."""
    operation_id = parse_public_id(seen.our_reference, "op") if seen.our_reference else None
    scope = lock_operation(operation_id=operation_id) if operation_id else None
    if scope is None:
        charge_id = _charge(delivery, seen.payment_reference)
        if charge_id is None:
            raise NotYet(f"no charge has the payment {seen.payment_reference} of {seen.reference}")
        scope = lock_charge(charge_id=charge_id)
    if scope is not None and scope.charge.channel_id != delivery.channel_id:
        # Correctly signed by another account: it proves nothing about this charge.
        _foreign(scope, delivery, seen)
        return None
    return scope


def _charge(delivery: InboundEvent, payment_reference: str) -> UUID | None:
    if not payment_reference:
        return None
    ours = Charge.objects.filter(channel_id=delivery.channel_id, psp_reference=payment_reference)
    key: UUID | None = ours.values_list("id", flat=True).first()
    return key


def refund_operation(scope: ChargeScope, seen: PspObject) -> PspOperation | None:
    """Return the operation by which we asked for a refund, by our name of it or by the provider's."""
    ours = [each for each in scope.operations if each.kind == "refund"]
    named = parse_public_id(seen.our_reference, "op") if seen.our_reference else None
    by_name = next((each for each in ours if each.id == named), None)
    return by_name or next((each for each in ours if each.psp_reference == seen.reference), None)


def _compare(delivery: InboundEvent, told: ToldRefunds) -> None:
    """A total is only a hint: what it counts and we do not know is told by an event of its own."""
    charge = Charge.objects.filter(
        channel_id=delivery.channel_id, psp_reference=told.payment_reference
    ).first()
    if charge is None:
        raise NotYet(f"no charge has the payment {told.payment_reference}")
    known = PspOperation.objects.filter(charge=charge, kind="refund", status__in=[*_WAITING, "SUCCEEDED"])
    ours = sum(known.values_list("amount_minor", flat=True)) + refunded_elsewhere(charge=charge)
    if (told.returned_minor or 0) > ours:
        raise NotYet(f"{told.payment_reference}: more went back than we know of")


def _foreign(scope: ChargeScope, delivery: InboundEvent, seen: PspObject) -> None:
    open_case(
        kind="foreign_event",
        due_in=timedelta(hours=4),
        subject=public_id("chg", scope.charge.id),
        summary=f"channel {delivery.channel_id} told of {seen.reference}",
        merchant_id=scope.charge.merchant_id,
        value_minor=scope.charge.amount_minor,
        currency=scope.charge.amount_currency,
    )
