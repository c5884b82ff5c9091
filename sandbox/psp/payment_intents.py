"""PaymentIntents: create, update, confirm, capture, cancel, with the provider's states and refusals."""

from __future__ import annotations

from sandbox.psp import attempts, captures, charges, intent_objects, session_outcomes
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError, invalid, wrong_state
from sandbox.psp.lists import page

REASONS = {"abandoned", "duplicate", "fraudulent", "requested_by_customer"}
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
AUTHORISATION_SECONDS = 7 * 86400


def create(call: Call) -> Object:
    """``POST /v1/payment_intents``, confirmed at once when ``confirm=true``."""
    params = call.params
    intent = intent_objects.build(call)
    hidden: Object = {}
    confirm_now = params.boolean("confirm") or False
    terms = attempts.read_terms(call)
    params.close("expand")
    if not confirm_now:
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if name in params.values:
                raise invalid(f"{name} may only be given together with confirm=true", param=name)
    if confirm_now and intent["payment_method"] is None:
        raise invalid(
            "A PaymentIntent is confirmed with a payment_method; none was given.",
            param="payment_method", code="parameter_missing",
        )  # fmt: skip
    if confirm_now:
        attempts.check_return_url(intent, terms)
    call.insert(intent, hidden)
    call.emit("payment_intent.created", intent)
    if confirm_now:
        attempts.attempt(call, intent, hidden, terms)
    return intent


def load(call: Call) -> tuple[Object, Object]:
    """The PaymentIntent named in the path; an authorisation past its seven days expires here."""
    intent, hidden = call.load("payment_intent", call.target, param="intent")
    if (
        intent["status"] == "requires_capture"
        and hidden.get("authorised_at", call.now) + AUTHORISATION_SECONDS < call.now
    ):
        close(call, intent, reason="automatic")
    return intent, hidden


def retrieve(call: Call) -> Object:
    """``GET /v1/payment_intents/{id}``."""
    call.params.text("client_secret")
    call.params.close()
    return load(call)[0]


def update(call: Call) -> Object:
    """``POST /v1/payment_intents/{id}``: only before it is paid or canceled."""
    params = call.params
    intent, hidden = load(call)
    if intent["status"] in ("succeeded", "canceled", "processing") and set(params.values) - {
        "metadata", "description", "expand",
    }:  # fmt: skip
        raise wrong_state(
            f"This PaymentIntent is {intent['status']}; only metadata and description may still change.",
            intent=intent,
        )
    if params.given("amount") or params.given("currency"):
        if intent["status"] not in OPEN:
            raise wrong_state(f"The amount may not change in status {intent['status']}.", intent=intent)
        if params.given("currency"):
            intent["currency"] = params.currency()
        if params.given("amount"):
            intent["amount"] = params.amount(intent["currency"])
    if params.given("capture_method"):
        intent["capture_method"] = params.choice("capture_method", intent_objects.CAPTURE_METHODS)
    intent_objects.change(call, intent)
    intent["metadata"] = params.metadata(intent["metadata"])
    params.close()
    return call.save(intent, hidden)


def confirm(call: Call) -> Object:
    """``POST /v1/payment_intents/{id}/confirm``: one attempt to take or authorise the money."""
    params = call.params
    intent, hidden = load(call)
    session_outcomes.refuse_while_open(call, intent, hidden, "confirmed")
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        if intent["status"] == "succeeded":
            message = "This PaymentIntent has already succeeded and cannot be confirmed again."
        else:
            message = f"This PaymentIntent cannot be confirmed because its status is {intent['status']}."
        raise wrong_state(message, intent=intent)
    terms = attempts.read_terms(call)
    if params.given("capture_method"):
        intent["capture_method"] = params.choice("capture_method", intent_objects.CAPTURE_METHODS)
    intent_objects.change(call, intent)
    params.text("client_secret")
    params.close()
    if intent["payment_method"] is None:
        raise wrong_state(
            "This PaymentIntent cannot be confirmed because it has no payment method.", intent=intent
        )
    attempts.check_return_url(intent, terms)
    attempts.attempt(call, intent, hidden, terms)
    return intent


def capture(call: Call) -> Object:
    """``POST /v1/payment_intents/{id}/capture``: all or part; the rest of the authorisation is released."""
    params = call.params
    intent, hidden = load(call)
    amount = params.positive("amount_to_capture")
    params.boolean("final_capture")
    intent_metadata = params.metadata(intent["metadata"])
    params.close()
    if intent["status"] != "requires_capture":
        expired = intent["status"] == "canceled" and intent["cancellation_reason"] == "automatic"
        raise wrong_state(
            f"This PaymentIntent cannot be captured because its status is {intent['status']}; only"
            " requires_capture can.",
            intent=intent,
            code="charge_expired_for_capture" if expired else "payment_intent_unexpected_state",
        )
    if amount is None:
        amount = intent["amount_capturable"]
    if amount > intent["amount_capturable"]:
        raise ApiError(
            400, "invalid_request_error",
            f"The amount to capture ({amount}) is greater than what is authorised"
            f" ({intent['amount_capturable']}).",
            param="amount_to_capture", code="amount_too_large", saved=True,
        )  # fmt: skip
    intent["metadata"] = intent_metadata
    captures.take(call, intent, hidden, amount=amount)
    return intent


def expire(call: Call) -> Object:
    """The bank drops an authorisation before its seven days are over."""
    intent, _ = load(call)
    if intent["status"] != "requires_capture":
        raise wrong_state(f"This PaymentIntent is {intent['status']}: nothing is authorised.", intent=intent)
    return close(call, intent, reason="automatic")


def cancel(call: Call) -> Object:
    """``POST /v1/payment_intents/{id}/cancel``: it can never charge again."""
    intent, hidden = load(call)
    reason = call.params.choice("cancellation_reason", REASONS)
    call.params.close()
    session_outcomes.refuse_while_open(call, intent, hidden, "canceled")
    if intent["status"] not in (*OPEN, "requires_capture"):
        raise wrong_state(
            f"This PaymentIntent cannot be canceled because its status is {intent['status']}.", intent=intent
        )
    return close(call, intent, reason=reason)


def close(call: Call, intent: Object, *, reason: str | None) -> Object:
    """Cancel the intent and release what is authorised."""
    if intent["status"] == "requires_capture":
        charge, _ = call.load("charge", intent["latest_charge"])
        charges.release(call, charge)
        call.emit("charge.expired" if reason == "automatic" else "charge.refunded", charge)
    intent.update(
        status="canceled",
        canceled_at=call.now,
        cancellation_reason=reason,
        amount_capturable=0,
        next_action=None,
    )
    call.save(intent)
    call.emit("payment_intent.canceled", intent)
    return intent


def list_all(call: Call) -> Object:
    """``GET /v1/payment_intents``, by customer when asked."""
    return page(call, "payment_intent", {"customer": call.params.text("customer")})
