"""What becomes of a Checkout Session: it follows its PaymentIntent, or its time is over."""

from __future__ import annotations

from sandbox.psp.call import Call, Object
from sandbox.psp.errors import wrong_state

PAID_FOR = ("succeeded", "requires_capture", "processing")


def follow(call: Call, intent: Object, hidden: Object) -> None:
    """The PaymentIntent changed: complete its session, or tell how a payment that was processing ended."""
    if "session" not in hidden:
        return
    session, secret = call.load("checkout.session", hidden["session"])
    if session["status"] == "open":
        if intent["status"] in PAID_FOR:
            _complete(call, session, secret, intent)
    elif session["payment_status"] == "unpaid" and intent["status"] == "succeeded":
        session["payment_status"] = "paid"
        call.save(session, secret)
        if secret.get("asynchronous"):
            call.emit("checkout.session.async_payment_succeeded", session)
    elif secret.get("asynchronous") and intent["status"] == "requires_payment_method":
        call.emit("checkout.session.async_payment_failed", session)


def _complete(call: Call, session: Object, secret: Object, intent: Object) -> None:
    session.update(
        status="complete",
        payment_status="paid" if intent["status"] == "succeeded" else "unpaid",
        customer_details=secret.get("buyer"),
        url=None,
    )
    call.save(session, {**secret, "asynchronous": intent["status"] == "processing"})
    call.emit("checkout.session.completed", session)


def lapse(call: Call, session: Object, secret: Object) -> Object:
    """The session ends unpaid: its page takes no money any more and its PaymentIntent is canceled."""
    session.update(status="expired", url=None)
    call.save(session, secret)
    if session["payment_intent"] is not None:
        intent, hidden = call.load("payment_intent", session["payment_intent"])
        hidden.pop("step", None)
        intent.update(
            status="canceled", canceled_at=call.now, cancellation_reason="expired", next_action=None
        )
        call.save(intent, hidden)
        call.emit("payment_intent.canceled", intent)
    call.emit("checkout.session.expired", session)
    return session


def load(call: Call, identifier: str, *, param: str = "session") -> tuple[Object, Object]:
    """The session and its hidden part; one past its time expires here."""
    session, secret = call.load("checkout.session", identifier, param=param)
    if session["status"] == "open" and session["expires_at"] <= call.now:
        lapse(call, session, secret)
    return session, secret


def refuse_while_open(call: Call, intent: Object, hidden: Object, what: str) -> None:
    """The PaymentIntent of an open session belongs to its page: it is neither confirmed nor canceled."""
    if "session" not in hidden:
        return
    session, _ = load(call, hidden["session"])
    if session["status"] == "open":
        raise wrong_state(
            f"This PaymentIntent was made by a Checkout Session and cannot be {what} directly. Expire the"
            f" session {session['id']} instead.",
            intent=intent,
        )
