"""What a provider's webhook tells us: the same facts as an answer, at another time, in any order."""

from datetime import timedelta
from uuid import UUID

from core import clock
from core.cases import open_case
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.nudges import nudge
from core.rows import Query, read_together
from core.transactions import requires_transaction
from events.errors import NotYet
from events.types import InboundEvent
from payments.engine.authorized import captured_elsewhere, closed_elsewhere
from payments.engine.differences import difference
from payments.engine.late_money import receive_capture
from payments.engine.operations import start_operation
from payments.engine.outcome import apply_outcome
from payments.locks import ChargeScope, lock_charge
from payments.models import Charge, PspOperation
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus, adapter_for

__all__ = ["capture_seen", "on_provider_event"]

_KNOWN = """
    SELECT 1 FROM payments_charge
    WHERE id = %s AND channel_id = %s AND psp_reference = %s AND status = 'CAPTURED'
"""
_WAITING = ("SENT", "UNKNOWN", "PENDING")
_ENDS_AUTHORIZATION = (PspStatus.CAPTURED, PspStatus.CANCELED, PspStatus.EXPIRED)


@requires_transaction
def on_provider_event(*, delivery: InboundEvent) -> None:
    """Apply a verified webhook about a payment.

    Money that was captured is booked at once, if every fact is ours. Anything else is a hint to ask:
    events arrive late and in any order, and a newer state must never be overwritten by an older one. Where
    the buyer pays on the provider's page, whose payment is ours is known by asking about the page.
    Raises NotYet when our own row is not there yet; the event is parked, never dropped.
    """
    seen = adapter_for(delivery.provider).read_event(payload=delivery.payload)
    if seen is None:
        return
    if seen.status is PspStatus.CAPTURED and _is_known(delivery, seen):
        return
    scope = _find(delivery, seen)
    if scope is None:
        return
    changes = Changes()
    if scope.charge.status == "AUTHORIZED" and seen.status in _ENDS_AUTHORIZATION:
        _ended(scope, seen, changes)
    elif seen.status is PspStatus.AUTHORIZED and scope.is_closed:
        _unwanted(scope, seen, changes)
    elif seen.status is PspStatus.CAPTURED and not _is_hint(scope, seen):
        _captured(scope, scope.paying, seen, changes)
    else:
        _ask_now(scope.disposing or scope.paying)
    changes.save()


@requires_transaction
def capture_seen(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """Record that money of a locked charge was taken, whoever tells of it: in time, late, or in conflict.

    Nothing is recorded while no operation of ours could have taken it; a case is opened instead.
    """
    if scope.charge.status == "AUTHORIZED":
        _ended(scope, seen, changes)
    else:
        _captured(scope, scope.paying, seen, changes)


def _ask_now(operation: PspOperation | None) -> None:
    if operation is not None and operation.status in ("UNKNOWN", "PENDING"):
        operation.due_at = clock.now()
        operation.save(update_fields=["due_at"])
        nudge("operations")


def _ended(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """Authorised money was taken or given back, by us or by somebody else: both are final.

    A page's own event may leave out how much was taken; the payment behind it has events of its own.
    """
    if seen.session_reference:
        return
    ours = scope.disposing
    if ours is not None and ours.status in _WAITING:
        apply_outcome(scope, ours, Outcome(kind=OutcomeKind.SUCCEEDED, object=seen), changes)
    elif differs := difference(scope, seen):
        _case(
            scope,
            "charge_conflict",
            f"{seen.reference} is {seen.status}, and not this charge: {differs}"[:500],
        )
    elif seen.status is PspStatus.CAPTURED:
        captured_elsewhere(scope, None, seen, changes)
    else:
        closed_elsewhere(scope, changes, is_over=seen.status is PspStatus.EXPIRED)


def _unwanted(scope: ChargeScope, seen: PspObject, changes: Changes) -> None:
    """Money was reserved for a charge that had ended: it is given back. An old event is none of that."""
    charge = scope.charge
    if charge.authorized_minor or scope.disposing is not None or difference(scope, seen):
        return
    if charge.psp_reference is None:
        charge.psp_reference = seen.reference
        charge.save(update_fields=["psp_reference"])
    start_operation(charge, "void", changes, why="authorised too late")
    nudge("operations")


def _is_hint(scope: ChargeScope, seen: PspObject) -> bool:
    """Say whether money that was told of is only a reason to ask about the page on which it was paid."""
    open_page = scope.charge.is_hosted and scope.paying is not None and scope.paying.status in _WAITING
    is_told_of_page = bool(seen.session_reference) or scope.charge.psp_reference is None
    return open_page and is_told_of_page and not difference(scope, seen)


def _captured(scope: ChargeScope, operation: PspOperation | None, seen: PspObject, changes: Changes) -> None:
    if scope.charge.status == "CAPTURED" and scope.charge.psp_reference == seen.reference:
        return
    if operation is not None and operation.status in _WAITING:
        apply_outcome(scope, operation, Outcome(kind=OutcomeKind.SUCCEEDED, object=seen), changes)
    elif differs := difference(scope, seen):
        _case(scope, "charge_conflict", f"{seen.reference} is paid, and is not this charge: {differs}"[:500])
    elif scope.is_closed:
        receive_capture(scope, operation, seen, changes)
    else:
        _unexpected_money(scope, seen)


def _is_known(delivery: InboundEvent, seen: PspObject) -> bool:
    """Nearly every event tells what the answer told before: that needs no locks, because it stays so."""
    known = [parse_public_id(seen.our_reference, "chg"), delivery.channel_id, seen.reference]
    return bool(read_together(Query(_KNOWN, known))[0])


def _find(delivery: InboundEvent, seen: PspObject) -> ChargeScope | None:
    key = parse_public_id(seen.our_reference, "chg") or _by_reference(delivery, seen)
    if key is None:
        if seen.our_reference:
            return None  # Not one of our payments: the account has other uses.
        raise NotYet(f"no charge has the reference {seen.reference or seen.session_reference}")
    scope = lock_charge(charge_id=key)
    if scope is None:
        raise NotYet(f"no charge {seen.our_reference} yet")
    if scope.charge.channel_id != delivery.channel_id:
        # Correctly signed by another account: it proves nothing about this charge.
        _case(scope, "foreign_event", f"channel {delivery.channel_id} told of {seen.reference}")
        return None
    return scope


def _by_reference(delivery: InboundEvent, seen: PspObject) -> UUID | None:
    ours = Charge.objects.filter(channel_id=delivery.channel_id)
    if seen.session_reference:
        ours = ours.filter(session_reference=seen.session_reference)
    else:
        ours = ours.filter(psp_reference=seen.reference)
    return ours.values_list("id", flat=True).first()


def _unexpected_money(scope: ChargeScope, seen: PspObject) -> None:
    _case(scope, "late_money", f"{seen.reference} was captured while the charge is {scope.charge.status}")


def _case(scope: ChargeScope, kind: str, summary: str) -> None:
    open_case(
        kind=kind,
        due_in=timedelta(hours=4),
        subject=public_id("chg", scope.charge.id),
        summary=summary,
        merchant_id=scope.charge.merchant_id,
        value_minor=scope.charge.amount_minor,
        currency=scope.charge.amount_currency,
    )
