"""Charges and balance transactions: what the bank did, and what it means for the account's balance."""

from __future__ import annotations

from sandbox.psp.call import Call, Object
from sandbox.psp.cards import Card, Decline
from sandbox.psp.lists import page
from sandbox.settlement import movements

FEE_BPS, FEE_FIXED = 290, 30
SETTLES_AFTER = 2 * 86400


def fee_of(amount: int) -> int:
    """The provider's price in minor units: 2.9 % rounded half up, and 30."""
    return (amount * FEE_BPS + 5000) // 10_000 + FEE_FIXED


def balance_transaction(
    call: Call, *, amount: int, fee: int, currency: str, type_: str, category: str, source: str | None,
    instant: bool = False, description: str | None = None,
) -> Object:  # fmt: skip
    """Book one movement of the account's balance; amounts are signed minor units."""
    details = []
    if fee:
        details.append(
            {"amount": fee, "application": None, "currency": currency, "description": "Processing fees",
             "type": "stripe_fee"}
        )  # fmt: skip
    booked = call.insert(
        {
            "id": call.new_id("txn"),
            "object": "balance_transaction",
            "amount": amount,
            "available_on": call.now + (0 if instant else SETTLES_AFTER),
            "balance_type": "payments",
            "created": call.now,
            "currency": currency,
            "description": description,
            "exchange_rate": None,
            "fee": fee,
            "fee_details": details,
            "net": amount - fee,
            "reporting_category": category,
            "source": source,
            "status": "available" if instant else "pending",
            "type": type_,
        }
    )
    movements.record(call, booked)
    return booked


def new_charge(call: Call, intent: Object, method: Object, *, amount: int, currency: str) -> Object:
    """A charge object with every key; nothing is decided yet."""
    card = method["card"]
    identifier = call.new_id("ch")
    return {
        "id": identifier,
        "object": "charge",
        "amount": amount,
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": method["billing_details"],
        "calculated_statement_descriptor": "SANDBOX SHOP",
        "captured": False,
        "created": call.now,
        "currency": currency,
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": None,
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_details(card, amount), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": f"{call.base_url}/_bank/receipts/{identifier}",
        "refunded": False,
        "refunds": {
            "object": "list",
            "data": [],
            "has_more": False,
            "url": f"/v1/charges/{identifier}/refunds",
        },
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": intent["statement_descriptor"],
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def _card_details(card: Object, amount: int) -> Object:
    return {
        "amount_authorized": amount,
        "authorization_code": "A1B2C3",
        "brand": card["brand"],
        "checks": card["checks"],
        "country": card["country"],
        "exp_month": card["exp_month"],
        "exp_year": card["exp_year"],
        "extended_authorization": {"status": "disabled"},
        "fingerprint": card["fingerprint"],
        "funding": card["funding"],
        "incremental_authorization": {"status": "unavailable"},
        "installments": None,
        "last4": card["last4"],
        "mandate": None,
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "network_transaction_id": None,
        "overcapture": {"maximum_amount_capturable": amount, "status": "unavailable"},
        "regulated_status": "unregulated",
        "three_d_secure": None,
        "transaction_link_id": None,
        "wallet": card["wallet"],
    }


def outcome(decline: Decline | None, *, risk_level: str | None = None) -> Object:
    """What the bank network said about an attempt; cards that stand for a risk level tell it as well."""
    risk = {} if risk_level is None else {"risk_level": risk_level}
    if decline is not None and decline.blocked:
        return {
            "advice_code": "do_not_try_again",
            "network_advice_code": None,
            "network_decline_code": None,
            "network_status": "not_sent_to_network",
            "reason": "highest_risk_level",
            "seller_message": "The provider blocked this payment as too risky.",
            "type": "blocked",
            **risk,
        }
    return {
        "advice_code": None if decline is None else "try_again_later",
        "network_advice_code": None,
        "network_decline_code": None if decline is None else decline.network_code,
        "network_status": "approved_by_network" if decline is None else "declined_by_network",
        "reason": None if decline is None else decline.decline_code,
        "seller_message": "Payment complete." if decline is None else "The bank declined the payment.",
        "type": "authorized" if decline is None else "issuer_declined",
        **risk,
    }


def fail(call: Call, charge: Object, decline: Decline, *, risk_level: str | None = None) -> Object:
    """Store the charge as declined; no money moves, the journal notes the attempt with amount 0."""
    charge.update(
        status="failed",
        failure_code=decline.code,
        failure_message=decline.message,
        outcome=outcome(decline, risk_level=risk_level),
    )
    call.insert(charge)
    call.effect("charge.declined", amount=0, currency=charge["currency"], charge=charge)
    call.emit("charge.failed", charge)
    return charge


def authorise(call: Call, charge: Object, *, three_d_secure: bool, risk_level: str | None = None) -> Object:
    """Store the charge as approved by the bank, not captured."""
    charge.update(status="succeeded", paid=True, outcome=outcome(None, risk_level=risk_level))
    if three_d_secure:
        charge["payment_method_details"]["card"]["three_d_secure"] = {
            "authentication_flow": "challenge",
            "electronic_commerce_indicator": "05",
            "exemption_indicator": None,
            "result": "authenticated",
            "result_reason": None,
            "transaction_id": call.new_id("3ds"),
            "version": "2.2.0",
        }
    call.insert(charge)
    return charge


def take(call: Call, charge: Object, *, amount: int, card: Card) -> Object:
    """Capture ``amount`` of an authorised charge: money moves, the fee is charged, the rest is released."""
    rest = charge["amount"] - amount
    booked = balance_transaction(
        call, amount=charge["amount"], fee=fee_of(amount), currency=charge["currency"], type_="charge",
        category="charge", source=charge["id"], instant=card.instant,
    )  # fmt: skip
    if rest:
        balance_transaction(
            call, amount=-rest, fee=0, currency=charge["currency"], type_="refund",
            category="partial_capture_reversal", source=charge["id"], instant=card.instant,
        )  # fmt: skip
        charge["amount_refunded"] = rest
    charge.update(captured=True, amount_captured=amount, balance_transaction=booked["id"])
    call.save(charge)
    call.effect("charge.captured", amount=amount, currency=charge["currency"], charge=charge)
    return charge


def release(call: Call, charge: Object) -> Object:
    """Give an authorisation back uncaptured."""
    charge.update(refunded=True, amount_refunded=charge["amount"])
    call.save(charge)
    call.effect("authorization.released", amount=charge["amount"], currency=charge["currency"], charge=charge)
    return charge


def retrieve(call: Call) -> Object:
    """``GET /v1/charges/{id}``."""
    call.params.close()
    return call.load("charge", call.target, param="id")[0]


def list_all(call: Call) -> Object:
    """``GET /v1/charges``, by PaymentIntent or customer when asked."""
    params = call.params
    return page(
        call, "charge", {"payment_intent": params.text("payment_intent"), "customer": params.text("customer")}
    )
