"""Reading Stripe's objects: checked field by field, because money follows from them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from channels.errors import UnsupportedAmount
from channels.selectors import from_stripe
from payments.psp.contract import PspObject, PspStatus
from payments.psp.stripe_card import (
    read_capture_before,
    read_card,
    read_method_card,
    read_method_facts,
)
from payments.psp.stripe_declines import decline_of

__all__ = [
    "REFERENCE_KEY",
    "Unreadable",
    "read_identity",
    "read_integer",
    "read_intent",
    "read_our_reference",
    "read_payment_method",
    "read_reference",
    "read_text",
    "read_web_address",
]

# Where our charge id stands in the metadata of a PaymentIntent.
REFERENCE_KEY = "charge_id"
# And the store's id of the checkout (see payments.engine.payables).
_CHECKOUT_KEY = "checkout_id"

_STATUSES = {
    "requires_payment_method": PspStatus.REGISTERED,
    "requires_confirmation": PspStatus.REGISTERED,
    "requires_action": PspStatus.REQUIRES_ACTION,
    "processing": PspStatus.PROCESSING,
    "requires_capture": PspStatus.AUTHORIZED,
    "succeeded": PspStatus.CAPTURED,
    "canceled": PspStatus.CANCELED,
}
_ENDED_BY_TIME = ("automatic", "expired")


class Unreadable(ValueError):
    """The object is not what its kind must look like."""


def read_intent(data: Any) -> PspObject:
    """Return a PaymentIntent in our words. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "payment_intent":
        raise Unreadable("not a PaymentIntent")
    status = _STATUSES.get(read_text(data, "status"))
    if status is None:
        raise Unreadable(f"unknown status {data['status']!r}")
    refusal = data.get("last_payment_error")
    # A failed attempt leaves the PaymentIntent waiting for another payment method.
    if data["status"] == "requires_payment_method" and isinstance(refusal, Mapping):
        status = PspStatus.DECLINED
    if status is PspStatus.CANCELED and data.get("cancellation_reason") in _ENDED_BY_TIME:
        status = PspStatus.EXPIRED
    currency = read_text(data, "currency").upper()
    try:
        amount, capturable, received = (
            from_stripe(read_integer(data, name), currency)
            for name in ("amount", "amount_capturable", "amount_received")
        )
    except UnsupportedAmount as error:
        raise Unreadable(str(error)) from error
    return PspObject(
        reference=read_text(data, "id"),
        status=status,
        amount_minor=amount,
        currency=currency,
        our_reference=read_our_reference(data),
        authorized_minor=capturable + received,
        captured_minor=received,
        redirect_url=_redirect_url(data.get("next_action")),
        decline=decline_of(refusal) if isinstance(refusal, Mapping) else None,
        charge_reference=read_reference(data.get("latest_charge")),
        capture_before=read_capture_before(data),
        card=read_card(data),
        our_checkout=_read_metadata(data, _CHECKOUT_KEY),
    )


def read_identity(data: Any) -> PspObject:
    """Return an object that has an id and no amount (customer, payment method). Raises Unreadable."""
    if not isinstance(data, Mapping):
        raise Unreadable("not an object")
    return PspObject(
        reference=read_text(data, "id"),
        status=PspStatus.REGISTERED,
        amount_minor=0,
        currency="",
        our_reference="",
        authorized_minor=0,
        captured_minor=0,
        redirect_url=None,
        decline=None,
        charge_reference="",
    )


def read_payment_method(data: Any) -> PspObject:
    """Return a PaymentMethod: REGISTERED while it is a Customer's, CANCELED otherwise. Raises Unreadable."""
    if not isinstance(data, Mapping) or data.get("object") != "payment_method" or "customer" not in data:
        raise Unreadable("not a PaymentMethod")
    status = PspStatus.CANCELED if data["customer"] is None else PspStatus.REGISTERED
    card = read_method_card(data)
    return replace(read_identity(data), status=status, method=read_method_facts(data), card=card)


def read_our_reference(data: Mapping[str, Any]) -> str:
    """Return the charge id that we put into an object's metadata; empty where there is none."""
    return _read_metadata(data, REFERENCE_KEY)


def _read_metadata(data: Mapping[str, Any], name: str) -> str:
    metadata = data.get("metadata")
    value = metadata.get(name) if isinstance(metadata, Mapping) else None
    return value if isinstance(value, str) else ""


def read_text(data: Mapping[str, Any], name: str) -> str:
    """Return a printable text of 1 to 255 characters. Raises Unreadable."""
    value = data.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 255 or not value.isprintable():
        raise Unreadable(f"{name} is not a text")
    return value


def read_integer(data: Mapping[str, Any], name: str) -> int:
    """Return an amount on the wire. Raises Unreadable."""
    value = data.get(name)
    if type(value) is not int or not 0 <= value < 10**15:
        raise Unreadable(f"{name} is not an amount")
    return value


def read_reference(value: Any) -> str:
    """Return the id of a field that holds an id, or the object itself where it was expanded."""
    if isinstance(value, Mapping):
        value = value.get("id")
    return value[:255] if isinstance(value, str) else ""


def read_web_address(url: Any) -> str:
    """Return where a buyer's browser may be sent: a web page and nothing else. Raises Unreadable."""
    if (
        isinstance(url, str)
        and len(url) <= 2000
        and url.isascii()
        and urlsplit(url).scheme in ("https", "http")
    ):
        return url
    raise Unreadable("the page to redirect to is not a URL")


def _redirect_url(action: Any) -> str | None:
    if not isinstance(action, Mapping) or not isinstance(action.get("redirect_to_url"), Mapping):
        return None
    return read_web_address(action["redirect_to_url"].get("url"))
