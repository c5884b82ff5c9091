"""Reading Stripe's Refunds."""

from collections.abc import Callable, Mapping
from typing import Any

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe
from payments.psp.contract import Decline, Outcome, OutcomeKind, PspObject, PspStatus, ToldRefunds
from payments.psp.declines import decline
from payments.psp.stripe_objects import (
    Unreadable,
    read_integer,
    read_our_reference,
    read_reference,
    read_text,
)

__all__ = ["REFUND_KEY", "find_refund", "of_refund", "read_refund", "read_told_refunds"]

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
        decline=_refusal(data) if status is PspStatus.DECLINED else None,
        charge_reference=read_reference(data.get("charge")),
        payment_reference=read_reference(data.get("payment_intent")),
        is_booked=data.get("balance_transaction") is not None,
    )


def read_told_refunds(kind: str, data: Any) -> ToldRefunds | None:
    """Return what an event of this type tells of refunds. Raises Unreadable."""
    if kind.startswith(("refund.", "charge.refund.")):
        refund = read_refund(data)
        return ToldRefunds((refund,), refund.payment_reference)
    return _read_charge(data) if kind == "charge.refunded" else None


def _read_charge(data: Any) -> ToldRefunds | None:
    """What has gone back of a Charge. One that was not captured was released, which is no refund."""
    if not isinstance(data, Mapping) or data.get("object") != "charge":
        raise Unreadable("not a Charge")
    if data.get("captured") is not True:
        return None
    currency = read_text(data, "currency").upper()
    amounts = [read_integer(data, name) for name in ("amount", "amount_captured", "amount_refunded")]
    try:
        amount, captured, refunded = (from_stripe(each, currency) for each in amounts)
    except UnsupportedAmount as error:
        raise Unreadable(str(error)) from error
    listed = data.get("refunds")
    rows = listed.get("data") if isinstance(listed, Mapping) else None
    return ToldRefunds(
        refunds=tuple(read_refund(row) for row in rows) if isinstance(rows, list) else (),
        payment_reference=read_reference(data.get("payment_intent")),
        our_reference=read_our_reference(data),
        # What was authorised and not captured counts as refunded there.
        returned_minor=max(refunded - (amount - captured), 0),
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
    return Outcome(OutcomeKind.DECLINED, object=seen, decline=seen.decline, error="the refund failed")


def _refusal(data: Mapping[str, Any]) -> Decline:
    reason = data.get("failure_reason")
    return decline("rejected_by_provider", decline_code=reason if isinstance(reason, str) else "")


def _name(data: Mapping[str, Any]) -> str:
    metadata = data.get("metadata")
    name = metadata.get(REFUND_KEY) if isinstance(metadata, Mapping) else None
    return name if isinstance(name, str) else ""
