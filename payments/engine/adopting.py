"""What a file tells of and we do not know: the provider is asked, and what is ours is made again.

A database that was restored has forgotten what came after its last copy; the provider has not. Its object
carries our reference: with the order still here, the payment is recorded as if it had been told in time, the
charge made anew under the same id where that is gone too. Without the order nothing is invented: what the
provider says is kept for a person, who gives the money back or finds out whose it is.
"""

from uuid import UUID

from channels.errors import UnsupportedProvider
from channels.selectors import get_channel
from channels.services import record_calls
from channels.types import ChannelData
from core import clock
from core.history import Changes
from core.ids import parse_public_id
from core.money import format_minor
from core.nudges import nudge
from core.transactions import at_edge, forbids_transaction
from events.errors import NotYet
from payments.engine.authorized import PSP
from payments.engine.differences import difference, refund_difference
from payments.engine.facts import move_orders
from payments.engine.late_money import receive_capture
from payments.engine.observe import capture_seen
from payments.engine.outcome import apply_outcome
from payments.engine.recreate import recreate_charge
from payments.engine.refunds.adopt import adopt_refund
from payments.engine.refunds.observe import refund_operation
from payments.engine.refunds.outcomes import note_sent
from payments.engine.top_up_returns import is_booked
from payments.locks import ChargeScope, lock_charge
from payments.models import Charge, PspOperation
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus, RefundRequest, adapter_for
from payments.types import FileLine, Settled

__all__ = ["adopt_from_provider"]

_WAITING = ("SENT", "UNKNOWN", "PENDING")
_UNSENT = ("CREATED", "NOT_SENT")
_PAYS = ("register", "confirm")
_WHY = "the provider has it, and we had forgotten"


@forbids_transaction
def adopt_from_provider(*, told: FileLine) -> Settled:
    """Ask the provider about a line that is nothing we know, and record what is ours of it.

    The channels are asked one after the other until one knows it. Safe to call again. Only a charge that is
    captured and a refund that is done are recorded, each of exactly the line's amount.
    """
    answer = Settled("unsettled", "there is no provider to ask")
    for channel_id in told.channel_ids:
        channel = get_channel(channel_id=channel_id)
        try:
            outcome = _ask(channel, told)
        except UnsupportedProvider:
            continue
        answer = at_edge(_record)(told, channel, outcome)
        if outcome.object is not None:
            break
    return answer


def _ask(channel: ChannelData, told: FileLine) -> Outcome:
    adapter = adapter_for(channel.provider)
    if told.kind == "charge":
        return adapter.query(channel=channel, reference=told.reference)
    request = RefundRequest(
        nonce="",
        our_reference=told.our_reference,
        reference=told.payment_reference,
        amount_minor=-told.amount_minor,
        currency=told.currency,
        refund_reference=told.reference,
    )
    return adapter.find_refund(channel=channel, request=request)


def _record(told: FileLine, channel: ChannelData, outcome: Outcome) -> Settled:
    changes = Changes(because=told.because)
    record_calls(calls=outcome.calls, changes=changes)
    seen = outcome.object
    if seen is None:
        settled = _nothing(outcome)
    elif told.kind == "charge":
        settled = _charge(told, channel, seen, changes)
    else:
        settled = _refund(told, channel, seen, changes)
    changes.save()
    return settled


def _nothing(outcome: Outcome) -> Settled:
    """It does not know it, or nothing is known because it did not answer."""
    status = outcome.calls[-1].http_status if outcome.calls else None
    says = outcome.error or "no answer"
    if status in (400, 404):
        return Settled("unsettled", f"the provider does not know it: {says}")
    return Settled("silent", f"the provider did not answer: {says}")


def _charge(told: FileLine, channel: ChannelData, seen: PspObject, changes: Changes) -> Settled:
    says = f"the provider has {seen.reference}, {_money(seen)} {seen.currency}, {seen.status}"
    if seen.status is not PspStatus.CAPTURED:
        return Settled("unsettled", says)
    if (seen.captured_minor, seen.currency) != (told.amount_minor, told.currency):
        return Settled("conflict", f"{says}, and the file says another amount")
    key = parse_public_id(seen.our_reference, "chg") if seen.our_reference else None
    if key is None:
        return Settled("unsettled", f"{says}; it carries no reference of ours")
    says += f", our {seen.our_reference}"
    scope = lock_charge(charge_id=key)
    if scope is None:
        scope = recreate_charge(charge_id=key, channel=channel, seen=seen, changes=changes)
    if scope is None:
        of = f" of the checkout {seen.our_checkout[:64]}" if seen.our_checkout else ""
        return Settled("unsettled", f"{says}{of}, which we do not have (any more)")
    if scope.charge.channel_id != channel.id or scope.charge.merchant_id != told.merchant_id:
        return Settled("conflict", f"{says}; that is a payment by another channel")
    return _settled(scope, seen, changes, says)


def _settled(scope: ChargeScope, seen: PspObject, changes: Changes, says: str) -> Settled:
    charge = scope.charge
    if charge.status in ("CAPTURED", "CONFLICTED"):
        is_it = charge.status == "CAPTURED" and charge.psp_reference == seen.reference
        return Settled("known", says) if is_it else Settled("conflict", f"{says}; ours is {charge.status}")
    if charge.status in ("CREATED", "REGISTERED") and not difference(scope, seen):
        if not _catch_up(scope, seen, changes):
            return Settled("unsettled", f"{says}; what prepares it is under way")
        receive_capture(scope, None, seen, changes)
    else:
        capture_seen(scope, seen, changes)
    if charge.status == "CAPTURED":
        return Settled("settled", says)
    return Settled("conflict", f"{says}; ours is {charge.status}")


def _catch_up(scope: ChargeScope, seen: PspObject, changes: Changes) -> bool:
    """Bring a charge to where it was before it was forgotten: what would be sent is there already."""
    if any(order.status == "IN_REVIEW" for order in scope.covered):
        return False
    if any(each.status in _WAITING and each.kind not in _PAYS for each in scope.operations):
        return False
    for operation in scope.operations:
        if operation.status in _UNSENT:
            changes.move(operation, operation.to_canceled, why=_WHY, by=PSP, error="made before")
        elif operation.status in _WAITING:
            changes.move(operation, operation.to_succeeded, why=_WHY, by=PSP)
    charge = scope.charge
    if charge.status == "CREATED":
        changes.move(charge, charge.to_registered, why=_WHY, by=PSP, psp_reference=seen.reference)
    move_orders(scope, changes, "NOT_STARTED", "to_executing", "executing", _WHY)
    return True


def _refund(told: FileLine, channel: ChannelData, seen: PspObject, changes: Changes) -> Settled:
    says = f"the provider has {seen.reference} of {seen.payment_reference}, {_money(seen)} {seen.currency}"
    if seen.status is not PspStatus.REFUNDED:
        return Settled("unsettled", f"{says}, {seen.status}")
    if (seen.amount_minor, seen.currency) != (-told.amount_minor, told.currency):
        return Settled("conflict", f"{says}, and the file says another amount")
    charge_id = _charge_of(channel, seen)
    scope = lock_charge(charge_id=charge_id) if charge_id else None
    if scope is None or scope.charge.merchant_id != told.merchant_id:
        return Settled("unsettled", f"{says}; we do not know the payment")
    operation = refund_operation(scope, seen)
    if operation is not None:
        return _refund_asked(scope, operation, seen, changes, says)
    known = len(scope.operations)
    try:
        adopt_refund(scope, seen, changes)
    except NotYet:
        return Settled("unsettled", f"{says}; its payment is {scope.charge.status} with us")
    if len(scope.operations) > known or is_booked(scope=scope, reference=seen.reference):
        return Settled("settled", says)
    return Settled("conflict", f"{says}, and that is more than can be refunded")


def _refund_asked(
    scope: ChargeScope, operation: PspOperation, seen: PspObject, changes: Changes, says: str
) -> Settled:
    """We still know that it was asked for, and perhaps not that it was sent."""
    differs = refund_difference(operation, seen)
    if operation.status == "SUCCEEDED":
        return Settled("conflict", f"{says}: {differs}") if differs else Settled("known", says)
    if operation.status in _UNSENT and not differs:
        now = clock.now()
        changes.move(
            operation,
            operation.to_sent,
            why=_WHY,
            by=PSP,
            first_sent_at=now,
            due_at=now,
            leased_until=None,
        )
        note_sent(operation, changes)
    if operation.status not in _WAITING:
        return Settled("conflict", f"{says}; ours is {operation.status}")
    apply_outcome(scope, operation, Outcome(OutcomeKind.SUCCEEDED, object=seen), changes)
    nudge("operations")
    return (
        Settled("settled", says) if operation.status == "SUCCEEDED" else Settled("conflict", operation.error)
    )


def _charge_of(channel: ChannelData, seen: PspObject) -> UUID | None:
    if not seen.payment_reference:
        return None
    ours = Charge.objects.filter(channel_id=channel.id, psp_reference=seen.payment_reference)
    key: UUID | None = ours.values_list("id", flat=True).first()
    return key


def _money(seen: PspObject) -> str:
    return format_minor(seen.amount_minor, seen.currency)
