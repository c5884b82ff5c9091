"""The Checkout Session as an object, built from the parameters of its creation."""

from __future__ import annotations

import re
from typing import Any

from sandbox.psp.call import Call, Object
from sandbox.psp.currencies import MINIMUM
from sandbox.psp.errors import invalid, within
from sandbox.psp.intent_objects import CAPTURE_METHODS, USAGES
from sandbox.psp.params import MAX_AMOUNT, Params

MERCHANT = "Sandbox Shop"
URL = re.compile(r"https?://[!-~]+\Z")
SHORTEST, LONGEST = 30 * 60, 24 * 3600
MAX_ITEMS, MAX_QUANTITY = 100, 999_999
SUBMIT_TYPES = {"auto", "pay", "book", "donate"}
INTENT_TEXTS = {
    "description": 1000,
    "receipt_email": 512,
    "statement_descriptor": 22,
    "statement_descriptor_suffix": 22,
    "transfer_group": 500,
}


def build(call: Call) -> tuple[Object, Object]:
    """A new session and its hidden part (line items, what the PaymentIntent will carry); stores nothing."""
    params = call.params
    if params.required("mode") != "payment":
        raise invalid("The sandbox has Checkout Sessions of mode payment", param="mode")
    if params.choice("ui_mode", {"hosted_page"}, "hosted_page") is None:
        raise invalid("The sandbox has Checkout Sessions on a hosted page", param="ui_mode")
    types = params.names("payment_method_types") or ["card"]
    if types != ["card"]:
        raise invalid("The sandbox has payment methods of type card", param="payment_method_types")
    currency, items = _line_items(params)
    total = sum(item["unit_amount"] * item["quantity"] for item in items)
    _check_total(total, currency)
    customer, email = _customer(call)
    intent_data = _intent_data(params)
    expires_at = _expires_at(call)
    session = _session(call, currency=currency, total=total, expires_at=expires_at)
    session.update(
        cancel_url=_address(params, "cancel_url"),
        client_reference_id=params.text("client_reference_id", limit=200),
        customer=customer,
        customer_creation=None
        if customer
        else params.choice("customer_creation", {"always", "if_required"}, "if_required"),
        customer_email=email,
        locale=params.text("locale"),
        submit_type=params.choice("submit_type", SUBMIT_TYPES),
        success_url=_address(params, "success_url", needed=True),
        billing_address_collection=params.choice("billing_address_collection", {"auto", "required"}),
        metadata=params.metadata(),
    )
    merchant = _merchant(params)
    params.close()
    return session, {"items": items, "intent_data": intent_data, "merchant": merchant}


def _session(call: Call, *, currency: str, total: int, expires_at: int) -> Object:
    identifier = call.new_id("cs_test")
    return {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "after_expiration": None,
        "allow_promotion_codes": None,
        "amount_subtotal": total,
        "amount_total": total,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": None,
        "cancel_url": None,
        "client_reference_id": None,
        "client_secret": None,
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": call.now,
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer": None,
        "customer_account": None,
        "customer_creation": None,
        "customer_details": None,
        "customer_email": None,
        "discounts": [],
        "expires_at": expires_at,
        "integration_identifier": None,
        "invoice": None,
        "invoice_creation": {
            "enabled": False,
            "invoice_data": {
                "account_tax_ids": None,
                "custom_fields": None,
                "description": None,
                "footer": None,
                "issuer": None,
                "metadata": {},
                "rendering_options": None,
            },
        },
        "livemode": False,
        "locale": None,
        "managed_payments": None,
        "metadata": {},
        "mode": "payment",
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": None,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "recovered_from": None,
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": [],
        "status": "open",
        "submit_type": None,
        "subscription": None,
        "success_url": None,
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{call.base_url}/c/pay/{identifier}",
        "wallet_options": None,
    }


def _merchant(params: Params) -> str:
    """The name on the page: ``branding_settings[display_name]``; the provider tells it to nobody else."""
    inner = Params(params.mapping("branding_settings") or {})
    with within("branding_settings"):
        name = inner.text("display_name", limit=100)
        inner.close("background_color", "border_style", "button_color", "font_family")
    return name or MERCHANT


def _address(params: Params, name: str, *, needed: bool = False) -> str | None:
    url = params.required(name) if needed else params.text(name)
    if url is not None and not URL.match(url):
        raise invalid(
            "Invalid URL: printable ASCII with an explicit scheme (such as https) must be given",
            param=name, code="url_invalid",
        )  # fmt: skip
    return url


def _expires_at(call: Call) -> int:
    given = call.params.integer("expires_at")
    if given is None:
        return call.now + LONGEST
    if given < call.now + SHORTEST:
        raise invalid(
            "The expires_at timestamp must be at least 30 minutes after the Checkout Session's creation.",
            param="expires_at",
        )
    if given > call.now + LONGEST:
        raise invalid(
            "The expires_at timestamp must be less than 24 hours after the Checkout Session's creation.",
            param="expires_at",
        )
    return given


def _customer(call: Call) -> tuple[str | None, str | None]:
    customer, email = call.params.text("customer"), call.params.text("customer_email", limit=800)
    if customer is None:
        return None, email
    if email is not None:
        raise invalid("You may only specify one of these parameters: customer, customer_email.")
    found, secret = call.load("customer", customer, param="customer")
    if secret.get("deleted"):
        raise invalid(f"No such customer: '{found['id']}'", param="customer", code="resource_missing")
    return customer, found["email"]


def _intent_data(params: Params) -> Object:
    """What the PaymentIntent will carry when the buyer first pays."""
    values = params.mapping("payment_intent_data") or {}
    inner = Params(values)
    with within("payment_intent_data"):
        data: Object = {name: inner.text(name, limit=limit) for name, limit in INTENT_TEXTS.items()}
        data["capture_method"] = inner.choice("capture_method", CAPTURE_METHODS, "automatic")
        data["setup_future_usage"] = inner.choice("setup_future_usage", USAGES)
        data["metadata"] = inner.metadata()
        inner.close()
    return data


def _line_items(params: Params) -> tuple[str, list[Object]]:
    params.given("line_items")
    given = params.values.get("line_items")
    if given in (None, "", []):
        raise invalid("Missing required param: line_items.", param="line_items", code="parameter_missing")
    if not isinstance(given, list) or not all(isinstance(item, dict) for item in given):
        raise invalid("Invalid array", param="line_items")
    if len(given) > MAX_ITEMS:
        raise invalid(f"A Checkout Session has at most {MAX_ITEMS} line items", param="line_items")
    items = []
    for place, item in enumerate(given):
        with within(f"line_items[{place}]"):
            items.append(_line_item(item))
    currencies = {item["currency"] for item in items}
    if len(currencies) > 1:
        raise invalid("All line items must have the same currency.", param="line_items")
    return currencies.pop(), items


def _line_item(values: dict[str, Any]) -> Object:
    item = Params(values)
    if item.given("price"):
        raise invalid(f"No such price: '{values['price']}'", param="price", code="resource_missing")
    price = Params(item.mapping("price_data") or _absent("price_data"))
    quantity = item.positive("quantity")
    item.close()
    if quantity is None:
        raise invalid("Quantity is required. Add `quantity` to the line item.", param="quantity")
    if quantity > MAX_QUANTITY:
        raise invalid(f"Quantity is at most {MAX_QUANTITY}", param="quantity")
    with within("price_data"):
        currency = price.currency()
        unit_amount = price.integer("unit_amount")
        if unit_amount is None:
            _absent("unit_amount")
        elif unit_amount < 0:
            raise invalid("Invalid non-negative integer", param="unit_amount")
        product = Params(price.mapping("product_data") or _absent("product_data"))
        price.close()
        with within("product_data"):
            name, description = product.required("name"), product.text("description")
            product.metadata()
            product.close("images", "tax_code", "unit_label")
    return {
        "name": name, "description": description, "quantity": quantity, "currency": currency,
        "unit_amount": unit_amount,
    }  # fmt: skip


def _absent(name: str) -> Any:
    raise invalid(f"Missing required param: {name}.", param=name, code="parameter_missing")


def _check_total(total: int, currency: str) -> None:
    """Refuse a total that could never be charged, as the provider's amount limits say."""
    least = MINIMUM.get(currency, 1)
    if total < least:
        raise invalid(
            f"The Checkout Session's total amount must be at least {least} {currency}.",
            code="amount_too_small",
        )
    if total > MAX_AMOUNT:
        raise invalid(
            f"The Checkout Session's total amount must be no more than {MAX_AMOUNT}.", code="amount_too_large"
        )
