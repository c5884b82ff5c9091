"""Finance captures a payment or gives it back, in the store's place: one person asks, another one decides."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from core.approvals import approve, reject, request_approval
from core.audit_trail import record_audit, required_reason
from core.errors import InvalidState, NotFound
from core.history import Changes
from core.ids import parse_public_id, public_id
from core.models import Approval
from core.nudges import nudge
from core.transactions import requires_transaction
from payments.engine.cancellations import take_back
from payments.engine.captures import is_capturable, read_part, start_capture
from payments.locks import ChargeScope, CheckoutScope, lock_checkout
from payments.models import Charge, PaymentOrder

__all__ = ["DISPOSALS", "Disposal", "approve_disposal", "reject_disposal", "request_disposal"]

Disposal = Literal["capture", "void"]
DISPOSALS: dict[Disposal, str] = {"capture": "charge.capture", "void": "charge.void"}
_EXPIRES_IN = timedelta(days=1)


@requires_transaction
def request_disposal(
    *, charge_id: UUID, what: Disposal, reason: str, maker: str, amount: str | None = None
) -> UUID:
    """Ask for a second person's yes to a capture, or to giving the money back; return the approval's key.

    `amount` is a decimal string in the charge's currency, for a capture; everything, if it is None. Raises
    NotFound, ReasonRequired, InvalidAmount, CaptureExceedsAuthorized, and InvalidState unless the money is
    reserved and nobody takes it or gives it back.
    """
    reason = required_reason(reason)
    _, scope, order = _reserved(charge_id)
    wanted = order.authorized_minor if amount is None or what == "void" else read_part(amount, order)
    approval = request_approval(
        subject=public_id("chg", charge_id),
        action=DISPOSALS[what],
        instruction=_instruction(scope.charge, what, wanted, reason),
        maker=maker,
        expires_in=_EXPIRES_IN,
        merchant_id=scope.charge.merchant_id,
    )
    key: UUID = approval.pk
    return key


@requires_transaction
def approve_disposal(*, approval_id: UUID, checker: str) -> None:
    """Say yes as the second person: it is ordered from the provider at once.

    Call it under `at_decision_edge`. Raises NotFound, FourEyesRequired, ApprovalNotPending, ApprovalExpired,
    ApprovalVoid, and InvalidState when the money is not reserved any more.
    """
    approval, charge_id = _approval(approval_id)
    whole, scope, order = _reserved(charge_id)
    said = approval.instruction
    now = _instruction(scope.charge, said["what"], said["amount_minor"], said["reason"])
    approve(approval_id=approval_id, checker=checker, instruction_now=now)
    if said["what"] == "capture":
        changes = Changes()
        start_capture(scope, said["amount_minor"], changes, why="captured by finance", by=checker)
        changes.save()
        nudge("operations")
    else:
        take_back(whole, [order], checker, why="canceled by finance")
    record_audit(
        actor=checker,
        action=approval.action,
        subject=approval.subject,
        reason=said["reason"],
        detail={"amount_minor": said["amount_minor"], "currency": said["currency"], "maker": approval.maker},
        merchant_id=scope.charge.merchant_id,
    )


@requires_transaction
def reject_disposal(*, approval_id: UUID, checker: str, reason: str) -> None:
    """Say no as the second person: the money stays reserved.

    Call it under `at_decision_edge`. Raises NotFound, ReasonRequired, FourEyesRequired, ApprovalNotPending,
    ApprovalExpired.
    """
    _approval(approval_id)
    reject(approval_id=approval_id, checker=checker, reason=reason)


def _approval(approval_id: UUID) -> tuple[Approval, UUID]:
    approval = Approval.objects.filter(pk=approval_id, action__in=DISPOSALS.values()).first()
    charge_id = parse_public_id(approval.subject, "chg") if approval else None
    if approval is None or charge_id is None:
        raise NotFound()
    return approval, charge_id


def _reserved(charge_id: UUID) -> tuple[CheckoutScope, ChargeScope, PaymentOrder]:
    """Lock a charge whose money is reserved, with its one order."""
    checkout_id = Charge.objects.filter(pk=charge_id).values_list("checkout_id", flat=True).first()
    whole = lock_checkout(checkout_id=checkout_id) if checkout_id else None
    if whole is None:
        raise NotFound()
    scope = next(each for each in whole.charges if each.charge.id == charge_id)
    (order, *others) = scope.orders
    if others or not is_capturable(scope, order):
        raise InvalidState()
    return whole, scope, order


def _instruction(charge: Charge, what: str, amount_minor: int, reason: str) -> dict[str, Any]:
    """What exactly is agreed on; should any of it change, the yes is void."""
    return {
        "charge": public_id("chg", charge.id),
        "what": what,
        "amount_minor": amount_minor,
        "authorized_minor": charge.authorized_minor,
        "currency": str(charge.amount_currency),
        "psp_reference": charge.psp_reference,
        "reason": reason,
    }
