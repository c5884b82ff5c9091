"""In what respect a provider tells of something else than what is ours. Authentic is not valid."""

from collections.abc import Container

from core.ids import public_id
from core.money import InexactAmount, InvalidCurrency, format_minor
from payments.locks import ChargeScope
from payments.models import PspOperation
from payments.psp.contract import PspObject, PspStatus

_SENT = ("SENT", "UNKNOWN", "PENDING")

__all__ = ["difference", "refund_difference"]


def difference(scope: ChargeScope, seen: PspObject | None) -> str:
    """Say why what the provider tells of cannot be this charge, for a person to read; "" if it can.

    Amount, currency and reference must all be ours.
    """
    if seen is None or not seen.currency:
        return ""  # A customer or a payment method.
    charge = scope.charge
    ours = (charge.amount_minor, charge.amount_currency)
    if (seen.amount_minor, seen.currency) != ours:
        return f"it is of {_money(seen.amount_minor, seen.currency)}, ours of {_money(*ours)}"
    if seen.our_reference not in ("", public_id("chg", charge.id)):
        return f"it carries the reference {seen.our_reference[:80]}"
    if seen.status is PspStatus.CAPTURED and seen.captured_minor not in _takeable(scope):
        return f"{_money(seen.captured_minor, seen.currency)} of {_money(*ours)} were taken"
    if seen.status is PspStatus.AUTHORIZED and seen.authorized_minor != charge.amount_minor:
        return f"{_money(seen.authorized_minor, seen.currency)} of {_money(*ours)} were authorised"
    if _is_another(seen.reference, charge.psp_reference):
        return f"it tells of {seen.reference}, ours is {charge.psp_reference}"
    if _is_another(seen.session_reference, charge.session_reference):
        return f"it tells of the page {seen.session_reference}, ours is {charge.session_reference}"
    return ""


def _takeable(scope: ChargeScope) -> Container[int]:
    """How much the provider may have taken: what we ordered, or what somebody else may have ordered."""
    charge, ordered = scope.charge, scope.disposing
    if scope.payable.capture != "manual":
        return (charge.amount_minor,)
    if charge.captured_minor:
        return (charge.captured_minor,)
    if ordered is not None and ordered.kind == "capture" and ordered.status in _SENT:
        return (ordered.amount_minor,)
    return range(1, charge.amount_minor + 1)


def refund_difference(operation: PspOperation, seen: PspObject | None) -> str:
    """Say why what the provider tells of cannot be this refund; "" if it can."""
    if seen is None:
        return ""
    ours = (operation.amount_minor, operation.currency)
    if (seen.amount_minor, seen.currency) != ours:
        return f"it is of {_money(seen.amount_minor, seen.currency)}, ours of {_money(*ours)}"
    if operation.psp_reference is not None:
        is_ours = seen.reference == operation.psp_reference
        return "" if is_ours else f"it tells of {seen.reference}, ours is {operation.psp_reference}"
    if seen.our_reference != public_id("op", operation.id):
        return (
            f"it carries the reference {seen.our_reference[:80]}" if seen.our_reference else "it is not ours"
        )
    return ""


def _is_another(told: str, ours: str | None) -> bool:
    """A page whose payment was not made yet tells no reference of it."""
    return bool(told) and ours is not None and told != ours


def _money(minor: int, currency: str) -> str:
    try:
        return f"{format_minor(minor, currency)} {currency}"
    except (InexactAmount, InvalidCurrency):  # Whatever a provider may tell.
        return f"{minor} {currency[:8]}"
