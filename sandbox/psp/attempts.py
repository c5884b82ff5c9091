"""One attempt to pay a PaymentIntent: the bank approves, declines or wants the buyer to authenticate."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.psp import captures, charges, disputes, payment_methods, session_outcomes
from sandbox.psp.call import Call, Object
from sandbox.psp.cards import AUTHENTICATION, GENERIC, Card, Decline
from sandbox.psp.errors import ApiError, invalid, wrong_state

#: Kinds of alarms that end a review.
REVIEW_SUCCEEDS, REVIEW_FAILS = "review_succeeds", "review_fails"

#: The metadata value ``seconds:succeed`` or ``seconds:fail``.
REVIEW = re.compile(r"^(\d{1,8})(?::(succeed|fail))?$")

AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "The buyer's authentication of this payment failed. Choose another payment method and try again.",
)


@dataclass(frozen=True, slots=True)
class Terms:
    """How the caller wants the attempt made."""

    off_session: bool
    return_url: str | None
    error_on_requires_action: bool


def read_terms(call: Call) -> Terms:
    """Read the parameters of a confirmation."""
    params = call.params
    off_session = params.text("off_session")
    return Terms(
        off_session=off_session not in (None, "false"),
        return_url=params.text("return_url"),
        error_on_requires_action=params.boolean("error_on_requires_action") or False,
    )


def check_return_url(intent: Object, terms: Terms) -> None:
    """Refuse what could redirect the buyer without saying where to come back to."""
    automatic = intent["automatic_payment_methods"]
    if automatic and automatic["allow_redirects"] == "always" and terms.return_url is None:
        raise invalid(
            "This PaymentIntent accepts methods that may redirect the buyer, so a return_url is needed; or"
            " set automatic_payment_methods[allow_redirects] to never, or payment_method_types.",
            param="return_url",
        )


def attempt(call: Call, intent: Object, hidden: Object, terms: Terms) -> None:
    """Make one attempt. Raises the bank's decline as a 402 after its consequences are stored."""
    method, secret = call.load("payment_method", intent["payment_method"], param="payment_method")
    payment_methods.check_usable(method, secret, customer=intent["customer"])
    card = payment_methods.card_of(secret)
    intent["last_payment_error"] = None
    if card.authenticates and (terms.off_session or terms.error_on_requires_action):
        refuse(call, intent, hidden, method, AUTHENTICATION, charged=True)
        raise _card_error(intent, method, AUTHENTICATION)
    if card.authenticates:
        _ask_buyer(call, intent, hidden, terms)
        return
    if card.decline is not None:
        refuse(call, intent, hidden, method, card.decline, charged=True)
        raise _card_error(intent, method, card.decline)
    if card.asynchronous:
        intent.update(status="processing", processing={"type": "card"})
        call.save(intent, hidden)
        call.emit("payment_intent.processing", intent)
        _schedule_review(call, intent, card)
        session_outcomes.follow(call, intent, hidden)
        return
    approve(call, intent, hidden, method, secret, card)


def _ask_buyer(call: Call, intent: Object, hidden: Object, terms: Terms) -> None:
    step = secrets.token_urlsafe(18)
    url = f"{call.base_url}/_bank/3ds/{intent['id']}/{step}"
    hidden.update(step=step, return_url=terms.return_url)
    if terms.return_url is None:
        intent["next_action"] = {
            "type": "use_stripe_sdk",
            "use_stripe_sdk": {"type": "three_d_secure_redirect", "stripe_js": url},
        }
    else:
        intent["next_action"] = {
            "type": "redirect_to_url",
            "redirect_to_url": {"return_url": terms.return_url, "url": url},
        }
    intent["status"] = "requires_action"
    call.save(intent, hidden)
    call.emit("payment_intent.requires_action", intent)


def finish_step(call: Call, intent: Object, hidden: Object, *, passed: bool) -> Object:
    """The buyer finished the bank's page. A decline afterwards is stored, not raised: nobody is calling."""
    if intent["status"] != "requires_action":
        raise wrong_state(f"This PaymentIntent is {intent['status']}: no step is open.", intent=intent)
    method, secret = call.load("payment_method", intent["payment_method"])
    card = payment_methods.card_of(secret)
    intent["next_action"] = None
    hidden.pop("step", None)
    if not passed:
        refuse(call, intent, hidden, method, AUTHENTICATION_FAILED, charged=False)
    elif card.decline is not None:
        refuse(call, intent, hidden, method, card.decline, charged=True)
    else:
        approve(call, intent, hidden, method, secret, card, three_d_secure=True)
    return intent


def _schedule_review(call: Call, intent: Object, card: Card) -> None:
    """Let a payment under review end by itself; metadata ``sandbox_review`` says when and how instead."""
    wish = REVIEW.match(intent["metadata"].get("sandbox_review", ""))
    if wish is not None:
        seconds, good = int(wish[1]), wish[2] != "fail"
    elif card.review is not None:
        seconds, good = card.review
    else:
        return
    kind = REVIEW_SUCCEEDS if good else REVIEW_FAILS
    call.remind(due=call.clock + seconds, kind=kind, target=intent["id"])


def end_review(call: Call, identifier: str, *, succeeded: bool) -> None:
    """The review is over; nothing happens when somebody has settled the payment before."""
    intent, hidden = call.load("payment_intent", identifier)
    if intent["status"] == "processing":
        settle(call, intent, hidden, succeeded=succeeded)


def settle(call: Call, intent: Object, hidden: Object, *, succeeded: bool) -> Object:
    """The outcome of a payment that was processing is known."""
    if intent["status"] != "processing":
        raise wrong_state(
            f"This PaymentIntent is {intent['status']}: its outcome is not open.", intent=intent
        )
    if "capturing" in hidden:
        return captures.settle(call, intent, hidden, succeeded=succeeded)
    method, secret = call.load("payment_method", intent["payment_method"])
    intent["processing"] = None
    if succeeded:
        approve(call, intent, hidden, method, secret, payment_methods.card_of(secret))
    else:
        refuse(call, intent, hidden, method, GENERIC, charged=True)
    return intent


def approve(
    call: Call, intent: Object, hidden: Object, method: Object, secret: Object, card: Card,
    *, three_d_secure: bool = False,
) -> None:  # fmt: skip
    """The bank says yes: authorise, and capture unless the caller captures later."""
    amount, currency = intent["amount"], intent["currency"]
    if call.approval is not None:
        amount = int(call.approval.get("amount", amount - int(call.approval.get("short_by", 0))))
        currency = str(call.approval.get("currency", currency))
        intent["currency"] = currency
    charge = charges.new_charge(call, intent, method, amount=amount, currency=currency)
    charges.authorise(call, charge, three_d_secure=three_d_secure, risk_level=card.risk_level)
    _use_up(call, intent, method, secret)
    intent["latest_charge"] = charge["id"]
    if intent["capture_method"] == "manual":
        call.effect("charge.authorized", amount=amount, currency=currency, charge=charge)
        intent.update(status="requires_capture", amount_capturable=amount)
        hidden["authorised_at"] = call.now
        call.save(intent, hidden)
        call.emit("charge.succeeded", charge)
        call.emit("payment_intent.amount_capturable_updated", intent)
        session_outcomes.follow(call, intent, hidden)
        return
    charges.take(call, charge, amount=amount, card=card)
    intent.update(status="succeeded", amount_received=amount)
    call.save(intent, hidden)
    call.emit("charge.succeeded", charge)
    call.emit("payment_intent.succeeded", intent)
    session_outcomes.follow(call, intent, hidden)
    disputes.follow(call, charge, card.dispute)


def _use_up(call: Call, intent: Object, method: Object, secret: Object) -> None:
    """A method without a customer serves once; a method to be kept joins the intent's customer."""
    if method["customer"] is not None:
        return
    if intent["setup_future_usage"] is not None and intent["customer"] is not None:
        payment_methods.join_customer(call, method, intent["customer"])
        return
    call.save(method, {**secret, "spent": True})


def refuse(
    call: Call, intent: Object, hidden: Object, method: Object, reason: Decline, *, charged: bool
) -> None:
    """The attempt failed: back to requires_payment_method, with the error told on the intent."""
    card = payment_methods.card_of(call.load("payment_method", method["id"])[1])
    if charged:
        charge = charges.new_charge(
            call, intent, method, amount=intent["amount"], currency=intent["currency"]
        )
        charges.fail(call, charge, reason, risk_level=card.risk_level)
        intent["latest_charge"] = charge["id"]
    intent["last_payment_error"] = _error(intent, method, reason)
    intent.update(status="requires_payment_method", payment_method=None, next_action=None)
    call.save(intent, hidden)
    call.emit("payment_intent.payment_failed", intent)
    session_outcomes.follow(call, intent, hidden)


def _error(intent: Object, method: Object, reason: Decline) -> dict[str, Any]:
    error: dict[str, Any] = {
        "code": reason.code,
        "message": reason.message,
        "payment_method": method,
        "type": "card_error" if reason.decline_code else "invalid_request_error",
    }
    if intent["latest_charge"] is not None and reason.decline_code:
        error["charge"] = intent["latest_charge"]
    if reason.decline_code:
        error["decline_code"] = reason.decline_code
        error["network_decline_code"] = reason.network_code
    return error


def _card_error(intent: Object, method: Object, reason: Decline) -> ApiError:
    return payment_methods.decline(
        reason, commit=True, charge=intent["latest_charge"], payment_intent=intent, payment_method=method
    )
