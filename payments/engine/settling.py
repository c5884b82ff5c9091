"""A line of a provider's settlement file is evidence: what has no outcome is ended by it.

It says that money moved, and nothing else: no line, and no missing one, makes a payment fail. What it tells is
recorded as if the provider had answered, so that amounts and references are compared all the same.
"""

from dataclasses import replace
from uuid import UUID

from core.errors import NotFound
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.transactions import requires_transaction
from payments.engine.differences import refund_difference
from payments.engine.observe import capture_seen
from payments.engine.outcome import apply_outcome
from payments.locks import ChargeScope, lock_charge
from payments.models import PspOperation, Refund
from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus
from payments.types import FileLine, Settled

__all__ = ["settle_from_file"]

_WAITING = ("SENT", "UNKNOWN", "PENDING")


@requires_transaction
def settle_from_file(*, told: FileLine) -> Settled:
    """End the charge, capture or refund that a line of a file tells of, with all that follows of it.

    Late money of an order that ended goes back (R6). Again it changes nothing. The caller vouches that the
    file counts, and that the line stands for this movement. Raises NotFound.
    """
    if told.subject_id is None:
        raise NotFound()
    subject = told.subject_id
    refund = Refund.objects.filter(pk=subject).first() if told.subject_kind == "refund" else None
    scope = _locked(told, refund)
    changes = Changes(because=told.because)
    if told.subject_kind == "charge":
        settled = _settle_charge(scope, told, changes)
    else:
        settled = _settle_refund(scope, told, refund, changes)
    changes.save()
    return settled


def _locked(told: FileLine, refund: Refund | None) -> ChargeScope:
    charge_id: UUID | None
    if told.subject_kind == "charge":
        charge_id = told.subject_id
    elif told.subject_kind == "refund":
        charge_id = refund.charge_id if refund else None
    else:
        found = PspOperation.objects.filter(pk__in=[told.subject_id], kind="refund")
        charge_id = found.values_list("charge_id", flat=True).first()
    scope = lock_charge(charge_id=charge_id) if charge_id else None
    if scope is None or scope.charge.merchant_id != told.merchant_id:
        raise NotFound()
    if scope.charge.channel_id not in told.channel_ids:
        raise NotFound()  # A file of another account proves nothing about it.
    return scope


def _settle_charge(scope: ChargeScope, told: FileLine, changes: Changes) -> Settled:
    charge, before = scope.charge, scope.charge.status
    if before == "CAPTURED":
        ours = (charge.captured_minor, charge.amount_currency)
        same = (told.amount_minor, told.currency) == ours
        return Settled("known") if same else Settled("conflict", "it is captured with another amount")
    if before == "CONFLICTED":
        return Settled("conflict", "two people decide what became of it")
    capture_seen(scope, _charge_as_told(scope, told), changes)
    if charge.status == "CAPTURED":
        return Settled("settled")
    if charge.status == "CONFLICTED" or any(each.status == "CONFLICTED" for each in scope.operations):
        return Settled("conflict", "the file contradicts what was asked for")
    return Settled("unsettled", f"the charge is {charge.status}, and nothing that we sent explains it")


def _charge_as_told(scope: ChargeScope, told: FileLine) -> PspObject:
    charge = scope.charge
    # What was reserved is not in a file, only what was taken of it.
    of_part = scope.payable.capture == "manual" and 0 < told.amount_minor < charge.amount_minor
    amount = charge.amount_minor if of_part else told.amount_minor
    return PspObject(
        reference=told.reference or charge.psp_reference or "",
        status=PspStatus.CAPTURED,
        amount_minor=amount,
        currency=told.currency,
        our_reference=told.our_reference if parse_public_id(told.our_reference, "chg") else "",
        authorized_minor=amount,
        captured_minor=told.amount_minor,
        redirect_url=None,
        decline=None,
        charge_reference="",
    )


def _settle_refund(scope: ChargeScope, told: FileLine, refund: Refund | None, changes: Changes) -> Settled:
    operation = _asked(scope, told)
    if operation is None:
        return Settled("unsettled", "it is not under way")
    seen = _refund_as_told(told)
    if refund is not None and refund.psp_reference:
        # Known from the provider's first answer, which the operation does not keep.
        is_it = refund.psp_reference == told.reference
        seen = replace(seen, our_reference=public_id("op", operation.id) if is_it else "")
    if operation.status == "SUCCEEDED":
        differs = refund_difference(operation, seen)
        return Settled("conflict", differs) if differs else Settled("known")
    if operation.status == "CONFLICTED":
        return Settled("conflict", "two people decide what became of it")
    if operation.status not in _WAITING:
        return Settled("unsettled", f"its request is {operation.status}")
    apply_outcome(scope, operation, Outcome(OutcomeKind.SUCCEEDED, object=seen), changes)
    if operation.status == "SUCCEEDED":
        return Settled("settled")
    return Settled("conflict", operation.error)


def _asked(scope: ChargeScope, told: FileLine) -> PspOperation | None:
    """The newest request of the refund that was not refused."""
    ours = [
        each
        for each in scope.operations
        if each.kind == "refund" and told.subject_id in (each.refund_id, each.id)
    ]
    standing = [each for each in ours if each.status not in ("DECLINED", "CANCELED")]
    return standing[-1] if standing else None


def _refund_as_told(told: FileLine) -> PspObject:
    return PspObject(
        reference=told.reference,
        status=PspStatus.REFUNDED,
        amount_minor=-told.amount_minor,
        currency=told.currency,
        our_reference=told.our_reference if parse_public_id(told.our_reference, "op") else "",
        authorized_minor=0,
        captured_minor=0,
        redirect_url=None,
        decline=None,
        charge_reference="",
        payment_reference=told.payment_reference,
        is_booked=True,
    )
