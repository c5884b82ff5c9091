"""What checkouts, orders and saved payment methods look like in answers and events."""

from collections.abc import Mapping

from core.api.fields import STORE_ID
from core.api.schemas import (
    AMOUNT,
    CURRENCY,
    METADATA,
    NOTHING,
    TIME,
    EventType,
    Schema,
    boolean,
    closed,
    constant,
    example_of,
    integer,
    list_of,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from payments.api.dispute_shapes import DISPUTE_EVENTS
from payments.api.failure_codes import FAILURES
from payments.api.failure_shapes import FAILURE
from payments.api.refund_shapes import REFUND_EVENTS
from payments.api.serializers import METHODS
from payments.states import PAYMENT_ORDER
from payments.states import TOP_UP as TOP_UP_STATES

__all__ = [
    "CHECKOUT",
    "EVENTS",
    "FAILURES",
    "METHOD_OFFER",
    "ORDER_PATH",
    "PAYMENT_METHOD",
    "PAYMENT_ORDER_OBJECT",
    "PAYMENT_ORDER_TOLD",
    "RELEASE",
    "TOP_UP",
]

_STATUSES = (
    "open",
    "in_review",
    "requires_action",
    "processing",
    "authorized",
    "succeeded",
    "partially_succeeded",
    "canceled",
    "expired",
    "failed",
)
_PSP = closed(
    {
        "channel": nullable(text("The name of the provider's account.", example="stripe-main")),
        "reference": nullable(text("The provider's id of the charge.", example="pi_3Q")),
    },
    required=["channel", "reference"],
)
_ORDER: Mapping[str, Schema] = {
    "object": constant("payment_order"),
    "id": our_id("pay"),
    "payment_order_id": example_of(STORE_ID, "o-1"),
    "checkout_id": STORE_ID,
    "seller_account": example_of(STORE_ID, "ann"),
    "amount": AMOUNT,
    "currency": CURRENCY,
    "payment_order_status": one_of(PAYMENT_ORDER.states),
    "authorized": NOTHING,
    "captured": NOTHING,
    "capturable": NOTHING,
    "refunded": NOTHING,
    "refund_pending": NOTHING,
    "disputed": NOTHING,
    "reversed": NOTHING,
    "wallet_updated": boolean("The seller's wallet has the money."),
    "ledger_updated": boolean("The books have the money."),
    "cancel_requested": boolean("The store took it back; whether in time is seen when it ends."),
    "failure": nullable(FAILURE),
    "psp": _PSP,
    "created_at": TIME,
    "updated_at": TIME,
}
PAYMENT_ORDER_OBJECT = shape("payment_order", "One seller's part of a checkout.", _ORDER)
_STEP = closed(
    {
        "at": TIME,
        "what": text(
            "The order, its charge, a refund or dispute of it, an operation at the provider, or what is held"
            " of a balance.",
            example="payment_order",
        ),
        "from": nullable(text("The state before; null at the beginning.", example="EXECUTING")),
        "to": text("The state after.", example="SUCCESS"),
        "reason": text(example="captured"),
        "actor": text("Who did it.", example="system"),
    },
    required=["at", "what", "from", "to", "reason", "actor"],
)
PAYMENT_ORDER_TOLD = shape(
    "payment_order_with_timeline",
    "One seller's part of a checkout, and everything that happened to it.",
    {**_ORDER, "timeline": list_of(_STEP, "In the order in which we learned it.")},
)
_REDIRECT = closed(
    {"type": constant("redirect_to_url"), "url": text(format="uri", example="https://pay.example/c/1")},
    required=["type", "url"],
    about="Send the buyer to this address.",
)
CHECKOUT = shape(
    "checkout",
    "What a buyer pays at once, with one order per seller.",
    {
        "object": constant("checkout"),
        "id": our_id("chk"),
        "checkout_id": STORE_ID,
        "status": one_of(_STATUSES, "Of all orders together."),
        "is_payment_done": boolean("Every order is paid."),
        "is_final": boolean(
            "Nothing is expected of the buyer or the provider; an attempt makes it false again."
        ),
        "payment_method": one_of(METHODS),
        "next_action": nullable(_REDIRECT),
        "payment_orders": list_of(PAYMENT_ORDER_OBJECT),
        "risk": closed(
            {"decision": one_of(("approve", "review", "decline", "not_assessed"))}, required=["decision"]
        ),
        "metadata": METADATA,
        "created_at": TIME,
        "expires_at": TIME,
    },
)
TOP_UP = shape(
    "top_up",
    "Money that a buyer brings into a wallet.",
    {
        "object": constant("top_up"),
        "id": our_id("top"),
        "wallet": our_id("wal"),
        "buyer_account": example_of(STORE_ID, "u-77"),
        "amount": AMOUNT,
        "currency": CURRENCY,
        "top_up_status": one_of(TOP_UP_STATES.states),
        "payment_method": one_of(("card", "hosted_page")),
        "next_action": nullable(_REDIRECT),
        "available": boolean("The money can be spent."),
        "available_at": nullable(TIME),
        "refunded": NOTHING,
        "reversed": NOTHING,
        "failure": nullable(FAILURE),
        "psp": _PSP,
        "risk": closed(
            {"decision": one_of(("approve", "review", "decline", "not_assessed"))}, required=["decision"]
        ),
        "created_at": TIME,
        "expires_at": TIME,
        "updated_at": TIME,
    },
)
ORDER_PATH = {"reference": text("The payment_order_id, or our pay_… id.", example="o-1")}
PAYMENT_METHOD = shape(
    "payment_method",
    "What a buyer had kept to pay with: what it is recognised by, and nothing to charge it with.",
    {
        "object": constant("payment_method"),
        "id": our_id("saved"),
        "buyer_account": example_of(STORE_ID, "u-77"),
        "brand": nullable(text(example="visa")),
        "last4": nullable(text(pattern="^[0-9]{4}$", example="4242")),
        "exp_month": nullable(integer(minimum=1, maximum=12, example=12)),
        "exp_year": nullable(integer(minimum=1970, maximum=9999, example=2030)),
        "wallet": nullable(text("Apple Pay, Google Pay and their like.", example="apple_pay")),
        "created_at": TIME,
    },
)
_LIMIT = closed(
    {"currency": CURRENCY, "min_amount": nullable(AMOUNT), "max_amount": nullable(AMOUNT)},
    required=("currency", "min_amount", "max_amount"),
)
METHOD_OFFER = shape(
    "payment_method_offer",
    "One way to pay that the merchant's channels can take now.",
    {
        "object": constant("payment_method_offer"),
        "payment_method": one_of(METHODS),
        "wallets": list_of(text(example="apple_pay"), "Wallets whose tokens it takes."),
        "currencies": list_of(CURRENCY),
        "limits": list_of(_LIMIT, "Where there are any; null: no bound."),
    },
)
_TOLD = {
    "created": "The order was accepted and stored. Nothing is sent to a provider yet.",
    "in_review": "The order is held until a person, or a slow check, has decided.",
    "approved": "An order that was held may be paid after all; it goes on by itself.",
    "executing": "The payment is being sent to the provider, or the buyer is done and money is on its way.",
    "requires_action": "The buyer must act: `next_action` of the checkout says where.",
    "succeeded": "The order is paid, and its money is in the seller's wallet and in the books.",
    "authorized": "The money is reserved: capture the order, or cancel it, before the authorization ends.",
    "capture_failed": "A capture was refused and took nothing; `failure` says why. The order is as it was.",
    "failed": "The order was not paid; `failure` says why. Another attempt may follow.",
    "canceled": "The order ended unpaid because the store took it back.",
    "expired": "The order ended unpaid: its time, the provider's page's or the authorization's was over.",
    "reversed": "A payment that had succeeded was taken back by its rail, or is denied by its provider:"
    " `reversed` says how much.",
    "reinstated": "The provider has a payment after all that it had denied; `reversed` says what is gone.",
    "retried": "A new attempt to pay an order that had failed begins.",
}
RELEASE = shape(
    "release",
    "What an order earned became its seller's to spend, less what is kept in reserve.",
    {
        "object": constant("release"),
        "id": our_id("rel"),
        "payment_order_id": example_of(STORE_ID, "o-1"),
        "seller_account": example_of(STORE_ID, "ann"),
        "wallet": our_id("wal"),
        "amount": AMOUNT,
        "reserved": NOTHING,
        "currency": CURRENCY,
        "reserve_until": nullable(TIME),
        "released_at": TIME,
    },
)
_TOLD_OF_TOP_UPS = {
    "created": "The top-up was accepted and stored. Nothing is sent to a provider yet.",
    "executing": "The top-up is being sent to the provider, or the buyer is done and money is on its way.",
    "requires_action": "The buyer must act: `next_action` says where.",
    "succeeded": "The top-up is paid and its money in the wallet; `available` says whether it can be spent.",
    "available": "The money of a top-up over a slow rail can be spent now.",
    "refunded": "The provider refunded a top-up, or a part of it; the wallet gave back what it still had.",
    "reversed": "Its rail took a top-up back after it had succeeded; the wallet gave back what it still had.",
    "failed": "The top-up was not paid; `failure` says why.",
    "canceled": "The top-up ended unpaid.",
    "expired": "The top-up ended unpaid because its time, or that of the provider's page, was over.",
}
EVENTS: Mapping[str, EventType] = {
    **{f"payment.{what}": EventType(about, PAYMENT_ORDER_OBJECT) for what, about in _TOLD.items()},
    "wallet.credited": EventType(
        "Money that a seller had earned was released: `amount` left what is pending, and all of it but"
        " `reserved` is available, or has paid what the seller owed.",
        RELEASE,
    ),
    **REFUND_EVENTS,
    **DISPUTE_EVENTS,
    **{f"top_up.{what}": EventType(about, TOP_UP) for what, about in _TOLD_OF_TOP_UPS.items()},
}
