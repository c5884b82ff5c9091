"""Customers: create, retrieve, update, delete."""

from __future__ import annotations

from sandbox.psp import payment_methods
from sandbox.psp.call import Call, Object
from sandbox.psp.lists import page
from sandbox.psp.payment_methods import NO_ADDRESS

TEXTS = ("description", "email", "name", "phone")


def create(call: Call) -> Object:
    """``POST /v1/customers``; ``payment_method`` is attached at once."""
    params = call.params
    customer: Object = {
        "id": call.new_id("cus"),
        "object": "customer",
        "address": _address(call),
        "balance": 0,
        "created": call.now,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": call.request_id[-8:].upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": params.metadata(),
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    for name in TEXTS:
        customer[name] = params.text(name)
    method = params.text("payment_method")
    params.close()
    call.insert(customer)
    if method is not None:
        found, hidden = payment_methods.resolve(call, method)
        payment_methods.check_usable(found, hidden, customer=customer["id"])
        card = payment_methods.card_of(hidden)
        if card.decline is not None and not card.attaches:
            raise payment_methods.decline(card.decline)
        payment_methods.join_customer(call, found, customer["id"])
    call.emit("customer.created", customer)
    return customer


def _address(call: Call) -> Object | None:
    given = call.params.mapping("address")
    return None if given is None else {**NO_ADDRESS, **given}


def retrieve(call: Call) -> Object:
    """``GET /v1/customers/{id}``; a deleted one answers its tombstone."""
    call.params.close()
    customer, hidden = call.load("customer", call.target, param="id")
    return _tombstone(customer["id"]) if hidden.get("deleted") else customer


def update(call: Call) -> Object:
    """``POST /v1/customers/{id}``."""
    params = call.params
    customer, _ = call.load("customer", call.target, param="id")
    for name in TEXTS:
        if params.given(name):
            customer[name] = params.text(name)
    if params.given("address"):
        customer["address"] = _address(call)
    customer["metadata"] = params.metadata(customer["metadata"])
    params.close()
    call.save(customer)
    call.emit("customer.updated", customer)
    return customer


def delete(call: Call) -> Object:
    """``DELETE /v1/customers/{id}``: its payment methods are detached for good."""
    call.params.close()
    customer, hidden = call.load("customer", call.target, param="id")
    methods = call.database.rows(
        "SELECT id FROM object WHERE account = ? AND type = 'payment_method' AND customer = ?",
        (call.account, customer["id"]),
    )
    for row in methods:
        method, secret = call.load("payment_method", row["id"])
        method["customer"] = None
        call.save(method, {**secret, "spent": True})
    call.save(customer, {**hidden, "deleted": True})
    call.emit("customer.deleted", customer)
    return _tombstone(customer["id"])


def _tombstone(identifier: str) -> Object:
    return {"id": identifier, "object": "customer", "deleted": True}


def list_all(call: Call) -> Object:
    """``GET /v1/customers``."""
    return page(call, "customer", {})
