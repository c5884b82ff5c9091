"""The PaymentIntent as an object: built from parameters, changed by parameters."""

from __future__ import annotations

from sandbox.database import random_digits
from sandbox.psp import payment_methods
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import invalid

CAPTURE_METHODS = {"automatic", "automatic_async", "manual"}
USAGES = {"on_session", "off_session"}
TEXTS = {
    "description": 1000,
    "receipt_email": 512,
    "statement_descriptor": 22,
    "statement_descriptor_suffix": 22,
    "transfer_group": 500,
}


def build(call: Call) -> Object:
    """A new PaymentIntent from the parameters of its creation; stores nothing but a minted method."""
    params = call.params
    currency = params.currency()
    amount = params.amount(currency)
    identifier = call.new_id("pi")
    types, automatic = _method_types(call)
    intent: Object = {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": automatic,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.choice("capture_method", CAPTURE_METHODS, "automatic"),
        "client_secret": f"{identifier}_secret_{random_digits(96)}",
        "confirmation_method": params.choice("confirmation_method", {"automatic", "manual"}, "automatic"),
        "created": call.now,
        "currency": currency,
        "customer": None,
        "customer_account": None,
        "description": None,
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "managed_payments": None,
        "metadata": params.metadata(),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_configuration_details": None,
        "payment_method_options": {
            "card": {
                "installments": None,
                "mandate_options": None,
                "network": None,
                "request_three_d_secure": "automatic",
            }
        },
        "payment_method_types": types,
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
    }
    change(call, intent)
    return intent


def _method_types(call: Call) -> tuple[list[str], Object | None]:
    params = call.params
    types = params.names("payment_method_types")
    automatic = params.mapping("automatic_payment_methods")
    if types is not None:
        if automatic and automatic.get("enabled") == "true":
            raise invalid(
                "Name payment_method_types or automatic_payment_methods, not both",
                param="payment_method_types",
            )
        if types != ["card"]:
            raise invalid("The sandbox has payment methods of type card", param="payment_method_types")
        return types, None
    if automatic is not None and automatic.get("enabled") != "true":
        return ["card"], None
    redirects = (automatic or {}).get("allow_redirects", "always")
    if redirects not in ("always", "never"):
        raise invalid(
            "allow_redirects is always or never", param="automatic_payment_methods[allow_redirects]"
        )
    return ["card"], {"allow_redirects": redirects, "enabled": True}


def change(call: Call, intent: Object) -> None:
    """Apply the parameters that creation, update and confirmation share."""
    params = call.params
    for name, limit in TEXTS.items():
        if params.given(name):
            intent[name] = params.text(name, limit=limit)
    if params.given("shipping"):
        intent["shipping"] = params.mapping("shipping")
    if params.given("setup_future_usage"):
        intent["setup_future_usage"] = params.choice("setup_future_usage", USAGES)
    if params.given("customer"):
        customer = params.text("customer")
        if customer is not None:
            found, secret = call.load("customer", customer, param="customer")
            if secret.get("deleted"):
                raise invalid(f"No such customer: '{found['id']}'", param="customer", code="resource_missing")
        intent["customer"] = customer
    reference = params.text("payment_method")
    if reference is not None:
        method, hidden = payment_methods.resolve(call, reference)
        payment_methods.check_usable(method, hidden, customer=intent["customer"])
        intent["payment_method"] = method["id"]
        if intent["status"] == "requires_payment_method":
            intent["status"] = "requires_confirmation"
    params.mapping("payment_method_options")
    params.text("confirmation_token")
