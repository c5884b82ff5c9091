"""Stripe's Checkout Sessions: the page on which the buyer pays, and the PaymentIntent behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe, to_stripe
from payments.psp.contract import PageRequest, PspObject, PspStatus
from payments.psp.stripe_objects import (
    REFERENCE_KEY,
    Unreadable,
    read_integer,
    read_intent,
    read_our_reference,
    read_reference,
    read_text,
    read_web_address,
)

__all__ = [
    "EXPANDED",
    "PAGE_LIFETIME",
    "is_session",
    "read_session",
    "read_told_session",
    "session_params",
]

# Source: the provider's reference of `expires_at`.
PAGE_LIFETIME = (timedelta(minutes=30), timedelta(hours=24))
# The session tells that it is paid, its PaymentIntent how much of what.
EXPANDED: Any = {"expand": ["payment_intent"]}

_PREFIX = "cs_"
# What the PaymentIntent says of money stands above what the session says of the page.
_MONEY = (PspStatus.CAPTURED, PspStatus.AUTHORIZED, PspStatus.PROCESSING)


def is_session(reference: str) -> bool:
    """Say whether a reference is a Checkout Session's."""
    return str(reference).startswith(_PREFIX)


def session_params(request: PageRequest, method_types: Sequence[str]) -> dict[str, Any]:
    """Return the parameters of a new session. Raises UnsupportedAmount.

    They follow from the request alone: under the same key Stripe compares them with the first ones.
    """
    metadata = {**request.metadata, REFERENCE_KEY: request.our_reference}
    price = {
        "currency": request.currency.lower(),
        "unit_amount": to_stripe(request.amount_minor, request.currency),
        "product_data": {"name": request.description},
    }
    return {
        "mode": "payment",
        "line_items": [{"quantity": 1, "price_data": price}],
        "payment_method_types": list(method_types),
        "client_reference_id": request.our_reference,
        "metadata": metadata,
        "payment_intent_data": {
            "capture_method": request.capture,
            "description": request.description,
            "metadata": metadata,
        },
        "success_url": request.return_url,
        "cancel_url": request.return_url,
        "expires_at": int(request.expires_at.timestamp()),
    }


def read_session(data: Any) -> PspObject:
    """Return a session, with the payment behind it, in our words. Raises Unreadable."""
    page = read_told_session(data)
    intent = data.get("payment_intent")
    if page.status is PspStatus.CAPTURED and not isinstance(intent, Mapping):
        raise Unreadable("paid, and the payment is not shown")
    return page


def read_told_session(data: Any) -> PspObject:
    """Return a session as an event tells of it: the payment behind it may be an id. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "checkout.session":
        raise Unreadable("not a Checkout Session")
    intent = data.get("payment_intent")
    behind = read_intent(intent) if isinstance(intent, Mapping) else None
    status = _status(data, behind)
    page = _facts(data, behind)
    url = read_web_address(data.get("url")) if status is PspStatus.REQUIRES_ACTION else None
    if status is PspStatus.CAPTURED and behind is None:
        page = replace(page, authorized_minor=page.amount_minor, captured_minor=page.amount_minor)
    decline = page.decline if status is PspStatus.DECLINED else None
    return replace(page, status=status, redirect_url=url, decline=decline)


def _facts(data: Mapping[str, Any], behind: PspObject | None) -> PspObject:
    """Amount, currency and references: those of the payment where it is there, else those of the page."""
    session = read_text(data, "id")
    ours = read_our_reference(data) or str(data.get("client_reference_id") or "")
    if behind is not None:
        return replace(behind, our_reference=behind.our_reference or ours, session_reference=session)
    currency = read_text(data, "currency").upper()
    try:
        amount = from_stripe(read_integer(data, "amount_total"), currency)
    except UnsupportedAmount as error:
        raise Unreadable(str(error)) from error
    return PspObject(
        reference=read_reference(data.get("payment_intent")),
        status=PspStatus.REQUIRES_ACTION,
        amount_minor=amount,
        currency=currency,
        our_reference=ours,
        authorized_minor=0,
        captured_minor=0,
        redirect_url=None,
        decline=None,
        charge_reference="",
        session_reference=session,
    )


def _status(data: Mapping[str, Any], behind: PspObject | None) -> PspStatus:
    if behind is not None and behind.status in _MONEY:
        return behind.status
    status = read_text(data, "status")
    if status == "open":
        return PspStatus.REQUIRES_ACTION  # A refusal on the page is not the end: the buyer may try again.
    if status == "expired":
        return PspStatus.EXPIRED
    if status != "complete":
        raise Unreadable(f"unknown status {status!r}")
    return _status_of_complete(read_text(data, "payment_status"), behind)


def _status_of_complete(payment: str, behind: PspObject | None) -> PspStatus:
    """The buyer is done with the page; the money may be on its way, or may have failed on it."""
    if payment == "paid" and behind is None:
        return PspStatus.CAPTURED
    if payment == "unpaid":
        ended = behind is not None and behind.status in (PspStatus.DECLINED, PspStatus.CANCELED)
        return behind.status if behind is not None and ended else PspStatus.PROCESSING
    raise Unreadable(f"the page says {payment}, the payment {behind.status if behind else 'nothing'}")
