"""PaymentMethods: made from test tokens, attached to customers, dead once detached or used alone."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.psp.call import Call, Object
from sandbox.psp.cards import CARDS, Card, Decline, find_card
from sandbox.psp.errors import ApiError, invalid, missing
from sandbox.psp.lists import page

NO_ADDRESS = {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None}


def billing_details(given: Object | None = None) -> Object:
    """Billing details with every key, filled from what the caller sent."""
    given = given or {}
    address = given.get("address")
    return {
        "address": {**NO_ADDRESS, **(address if isinstance(address, dict) else {})},
        "email": given.get("email"),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "tax_id": given.get("tax_id"),
    }


def fingerprint(account: str, name: str) -> str:
    """The same card of one account always has the same fingerprint."""
    return hashlib.sha256(f"{account}:{name}".encode()).hexdigest()[:16]


def checks(card: Card, address: Object) -> Object:
    """What the bank will say of address and security code; it checks only what it was given."""
    return {
        "address_line1_check": card.line1_check or ("pass" if address["line1"] else None),
        "address_postal_code_check": card.postal_code_check or ("pass" if address["postal_code"] else None),
        "cvc_check": card.cvc_check,
    }


def mint(
    call: Call, token: str, *, param: str, details: Object | None = None,
    expiry: tuple[int, int] | None = None,
) -> Object:  # fmt: skip
    """Make a new PaymentMethod from a test token; ``expiry`` is month and year as the buyer typed them."""
    found = find_card(token)
    if found is None:
        raise missing("PaymentMethod", token, param=param)
    name, card = found
    month, year = expiry or (12, 2034)
    billing = billing_details(details)
    method = {
        "id": call.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": billing,
        "card": {
            "brand": card.brand,
            "checks": checks(card, billing["address"]),
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": month,
            "exp_year": year,
            "fingerprint": fingerprint(call.account, name) if card.fingerprint else None,
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": name != "threeDSecureNotSupported"},
            "wallet": card.wallet and {"dynamic_last4": card.last4, "type": card.wallet},
            "regulated_status": "unregulated",
        },
        "created": call.now,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
    }
    return call.insert(method, {"card": name, "spent": False})


def card_of(hidden: Object) -> Card:
    """The test card behind a stored PaymentMethod."""
    return CARDS[hidden["card"]]


def resolve(call: Call, reference: str, *, param: str = "payment_method") -> tuple[Object, Object]:
    """The PaymentMethod a caller named, by id or by test token (which makes a new one)."""
    if find_card(reference) is not None and reference.startswith("pm_card_"):
        method = mint(call, reference, param=param)
        return call.load("payment_method", method["id"])
    return call.load("payment_method", reference, param=param)


def check_usable(method: Object, hidden: Object, *, customer: str | None) -> None:
    """Refuse a method that is detached, was used alone before, or belongs to someone else."""
    if method["customer"] is None and hidden["spent"]:
        raise ApiError(
            400,
            "invalid_request_error",
            "The provided PaymentMethod was used before without a customer, or was detached from one; it may"
            " not be used again. Attach it to a customer first to use it several times.",
            saved=True,
        )
    if method["customer"] is not None and method["customer"] != customer:
        raise ApiError(
            400,
            "invalid_request_error",
            f"The payment method {method['id']} belongs to the customer {method['customer']};"
            " name this customer on the PaymentIntent.",
            param="payment_method",
            saved=True,
        )


def decline(card_decline: Decline, *, commit: bool = False, **extra: Any) -> ApiError:
    """A bank's refusal as the API tells it: HTTP 402, ``card_error``."""
    return ApiError(
        402,
        "card_error",
        card_decline.message,
        code=card_decline.code,
        decline_code=card_decline.decline_code,
        network_decline_code=card_decline.network_code,
        commit=commit,
        saved=True,
        **extra,
    )


def create(call: Call) -> Object:
    """``POST /v1/payment_methods``: type ``card`` with ``card[token]``; card numbers are refused."""
    params = call.params
    if params.required("type") != "card":
        raise invalid("The sandbox has payment methods of type card", param="type")
    card = params.mapping("card") or {}
    details = params.mapping("billing_details")
    metadata = params.metadata()
    params.close("allow_redisplay")
    if "number" in card:
        raise ApiError(
            402,
            "invalid_request_error",
            "Card numbers may not be sent to this API; use a test token such as tok_visa.",
            param="card[number]",
        )
    token = card.get("token")
    if not isinstance(token, str):
        raise invalid("Missing required param: card[token].", param="card[token]", code="parameter_missing")
    if find_card(token) is None:
        raise missing("token", token, param="card[token]")
    method = mint(call, token, param="card[token]", details=details)
    method["metadata"] = metadata
    return call.save(method)


def retrieve(call: Call) -> Object:
    """``GET /v1/payment_methods/{id}``."""
    call.params.close()
    if call.target.startswith("pm_card_"):
        return mint(call, call.target, param="payment_method")
    return call.load("payment_method", call.target, param="payment_method")[0]


def attach(call: Call) -> Object:
    """``POST /v1/payment_methods/{id}/attach``."""
    customer = call.params.required("customer")
    call.params.close()
    method, hidden = resolve(call, call.target)
    owner, _ = call.load("customer", customer, param="customer")
    if method["customer"] is not None and method["customer"] != owner["id"]:
        raise ApiError(
            400,
            "invalid_request_error",
            "The payment method is already attached to another customer.",
            saved=True,
        )
    check_usable(method, hidden, customer=owner["id"])
    card = card_of(hidden)
    if card.decline is not None and not card.attaches:
        raise decline(card.decline)
    return join_customer(call, method, owner["id"])


def join_customer(call: Call, method: Object, customer: str) -> Object:
    """Attach a method to its customer and tell the world; nothing happens when it already is."""
    if method["customer"] != customer:
        method["customer"] = customer
        call.save(method)
        call.emit("payment_method.attached", method)
    return method


def detach(call: Call) -> Object:
    """``POST /v1/payment_methods/{id}/detach``: the method can never be used again."""
    call.params.close()
    method, hidden = call.load("payment_method", call.target, param="payment_method")
    if method["customer"] is None:
        raise ApiError(
            400,
            "invalid_request_error",
            "The payment method is not attached to a customer, so it cannot be detached.",
            saved=True,
        )
    method["customer"] = None
    call.save(method, {**hidden, "spent": True})
    call.emit("payment_method.detached", method)
    return method


def list_all(call: Call) -> Object:
    """``GET /v1/payment_methods?customer=…``; without a customer the list is empty."""
    customer = call.params.text("customer")
    kind = call.params.text("type")
    return page(call, "payment_method", {"customer": customer or "", "subtype": kind})


def list_of_customer(call: Call) -> Object:
    """``GET /v1/customers/{id}/payment_methods``."""
    customer, _ = call.load("customer", call.target, param="customer")
    kind = call.params.text("type")
    return page(call, "payment_method", {"customer": customer["id"], "subtype": kind})
