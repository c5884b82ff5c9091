"""Reading Stripe's Refunds."""

from collections.abc import Callable, Mapping
from typing import Any

from payments.psp.contract import Outcome, OutcomeKind, PspObject, PspStatus
from payments.psp.declines import decline
from payments.psp.stripe_amounts import UnsupportedAmount, from_stripe
from payments.psp.stripe_objects import Unreadable, read_integer, read_text

__all__ = ["REFUND_KEY", "find_refund", "of_refund", "read_refund"]

# Where our name of a refund stands in its metadata.
REFUND_KEY = "refund_id"

_STATUSES = {
    "succeeded": PspStatus.REFUNDED,
    "pending": PspStatus.PROCESSING,
    "requires_action": PspStatus.PROCESSING,
    "failed": PspStatus.DECLINED,
    "canceled": PspStatus.DECLINED,
}


def read_refund(data: Any) -> PspObject:
    """Return a Refund in our words; its amount is what goes back. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "refund":
        raise Unreadable("not a Refund")
    status = _STATUSES.get(read_text(data, "status"))
    if status is None:
        raise Unreadable(f"unknown status {data['status']!r}")
    currency = read_text(data, "currency").upper()
    try:
        amount = from_stripe(read_integer(data, "amount"), currency)
    except UnsupportedAmount as error:
        raise Unreadable(str(error)) from error
    return PspObject(
        reference=read_text(data, "id"),
        status=status,
        amount_minor=amount,
        currency=currency,
        our_reference=_name(data),
        authorized_minor=0,
        captured_minor=0,
        redirect_url=None,
        decline=None,
        charge_reference="",
    )


def find_refund(our_reference: str) -> Callable[[Any], PspObject]:
    """Return a reader that finds our Refund in a list of them."""

    def read(data: Any) -> PspObject:
        rows = data.get("data") if isinstance(data, Mapping) else None
        if not isinstance(rows, list):
            raise Unreadable("not a list")
        for row in rows:
            if isinstance(row, Mapping) and _name(row) == our_reference:
                return read_refund(row)
        raise Unreadable("the refund is not among those of the payment")

    return read


def of_refund(seen: PspObject) -> Outcome:
    """Say whether the money goes back."""
    if seen.status is PspStatus.REFUNDED:
        return Outcome(OutcomeKind.SUCCEEDED, object=seen)
    if seen.status is PspStatus.PROCESSING:
        return Outcome(OutcomeKind.PENDING, object=seen)
    return Outcome(
        OutcomeKind.DECLINED, object=seen, decline=decline("rejected_by_provider"), error="the refund failed"
    )


def _name(data: Mapping[str, Any]) -> str:
    metadata = data.get("metadata")
    name = metadata.get(REFUND_KEY) if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""
