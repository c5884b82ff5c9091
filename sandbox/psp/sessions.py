"""Checkout Sessions: create, retrieve, list, update, expire; and the one attempt after another to pay."""

from __future__ import annotations

from typing import Any

from sandbox.psp import attempts, intent_objects, payment_methods, session_objects, session_outcomes
from sandbox.psp.call import Call, Object
from sandbox.psp.errors import ApiError
from sandbox.psp.lists import page
from sandbox.psp.params import Params

#: The kind of the alarm that ends a session.
EXPIRY = "expire_session"


def create(call: Call) -> Object:
    """``POST /v1/checkout/sessions``; the PaymentIntent is made when the buyer first pays."""
    session, hidden = session_objects.build(call)
    call.insert(session, hidden)
    call.remind(due=session["expires_at"], kind=EXPIRY, target=session["id"])
    return session


def retrieve(call: Call) -> Object:
    """``GET /v1/checkout/sessions/{id}``."""
    call.params.close()
    return session_outcomes.load(call, call.target)[0]


def update(call: Call) -> Object:
    """``POST /v1/checkout/sessions/{id}``: metadata only."""
    session, hidden = session_outcomes.load(call, call.target)
    session["metadata"] = call.params.metadata(session["metadata"])
    call.params.close()
    return call.save(session, hidden)


def expire(call: Call) -> Object:
    """``POST /v1/checkout/sessions/{id}/expire``: only while it is open."""
    session, hidden = session_outcomes.load(call, call.target)
    call.params.close()
    if session["status"] != "open":
        raise ApiError(
            400,
            "invalid_request_error",
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a'
            f" status of {session['status']}.",
            param="session",
            saved=True,
        )
    return session_outcomes.lapse(call, session, hidden)


def list_all(call: Call) -> Object:
    """``GET /v1/checkout/sessions``, by PaymentIntent, customer or status when asked."""
    params = call.params
    return page(
        call,
        "checkout.session",
        {
            "payment_intent": params.text("payment_intent"),
            "customer": params.text("customer"),
            "json_extract(body, '$.status')": params.choice("status", {"open", "complete", "expired"}),
        },
    )


def expire_by_clock(call: Call, identifier: str) -> None:
    """The session's time is over; nothing happens when it is no longer open."""
    session_outcomes.load(call, identifier)


def pay(call: Call, identifier: str, *, token: str, buyer: Object, expiry: tuple[int, int] | None) -> Object:
    """The buyer presses the button: one attempt with a test card; returns the session as it then is.

    A session that is no longer open is returned as it is: whoever comes second pays nothing. A step at the
    bank that was left open is abandoned. A decline is stored on the PaymentIntent, not raised.
    """
    session, hidden = session_outcomes.load(call, identifier)
    if session["status"] != "open":
        return session
    call.save(session, {**hidden, "buyer": buyer})
    intent, secret = _intent(call, session, hidden)
    details = {name: buyer[name] for name in ("address", "email", "name", "phone")}
    method = payment_methods.mint(call, token, param="payment_method", details=details, expiry=expiry)
    intent["payment_method"] = method["id"]
    terms = attempts.Terms(
        off_session=False,
        return_url=f"{call.base_url}/c/pay/{identifier}/return",
        error_on_requires_action=False,
    )
    try:
        attempts.attempt(call, intent, secret, terms)
    except ApiError as error:
        if not error.commit:
            raise
    return call.load("checkout.session", identifier)[0]


def _intent(call: Call, session: Object, hidden: Object) -> tuple[Object, Object]:
    """The session's PaymentIntent, ready for an attempt; made now when there is none."""
    if session["payment_intent"] is not None:
        intent, secret = call.load("payment_intent", session["payment_intent"])
        secret.pop("step", None)
        intent["next_action"] = None
        return intent, secret
    given: dict[str, Any] = {
        name: value for name, value in hidden["intent_data"].items() if value is not None
    }
    given.update(
        amount=str(session["amount_total"]), currency=session["currency"], payment_method_types=["card"]
    )
    if session["customer"] is not None:
        given["customer"] = session["customer"]
    sent, call.params = call.params, Params(given)
    intent = intent_objects.build(call)
    call.params = sent
    secret = {"session": session["id"]}
    call.insert(intent, secret)
    call.emit("payment_intent.created", intent)
    session["payment_intent"] = intent["id"]
    call.save(session)
    return intent, secret
