"""The store cancels while a worker dies or stands still: nothing taken and CANCELED, or SUCCESS."""

import os
import signal
import uuid

import pytest

from core import failpoints
from payments.models import Charge, PaymentOrder, PspOperation
from tests.faults.shop import Payment, Shop, assert_audits_are_clean, open_shop
from tests.stack import Stack, is_stopped
from tests.waiting import eventually

pytestmark = pytest.mark.processes


def cancel(shop: Shop, payment: Payment) -> int:
    path = f"/v1/checkouts/{payment.checkout_id}/cancellations"
    answer = shop.stack.api("POST", path, {}, key=shop.secret, idem=uuid.uuid4().hex)
    assert answer.status in (201, 409), answer.body
    return answer.status


def strike(shop: Shop, place: str, action: str) -> int:
    """Wait until a worker meets its fate at the place; return its process id."""
    pid = eventually(lambda: failpoints.fired(place), what=f"{place}: {shop.what_is_open()}")[0]
    if action == "stop":
        eventually(lambda: is_stopped(pid), what=f"{pid} stands still")
        return pid
    stack = shop.stack

    def dead() -> str | None:
        workers = [name for name in stack.processes if name.startswith("worker")]
        return next((name for name in workers if stack.processes[name].poll() is not None), None)

    stack.restart(eventually(dead, what="a worker is gone"))
    return pid


def states(shop: Shop, payment: Payment) -> set[str]:
    return {order.status for order in shop.orders(payment)}


def assert_ended(shop: Shop, payment: Payment, end: str) -> None:
    """Nothing is left to do; the provider's journal and our orders say the same."""
    mine = PspOperation.objects.filter(merchant_id=shop.merchant_id)
    eventually(
        lambda: states(shop, payment) <= {"CANCELED", "SUCCESS"} and not mine.filter(due_at__isnull=False),
        within=40,
        what=f"{payment.checkout_id} ended: {shop.what_is_open()}",
    )
    taken = [row["amount"] for row in shop.captures(payment)]
    assert (states(shop, payment), taken) == ({end}, [10000] if end == "SUCCESS" else [])
    assert_audits_are_clean()


@pytest.mark.parametrize("action", ["kill", "stop"])
@pytest.mark.parametrize(
    ("place", "end"),
    [
        ("execute.after_intent.register", "CANCELED"),
        ("execute.after_effect.register", "CANCELED"),
        ("execute.after_intent.confirm", "CANCELED"),
        ("execute.after_effect.confirm", "SUCCESS"),
        ("execute.before_commit.confirm", "SUCCESS"),
    ],
)
def test_canceled_when_the_worker_was_struck(stack: Stack, place: str, end: str, action: str) -> None:
    """F-A2, F-A3: what the worker had in hand is asked about, and then closed, never sent after that.

    One that stands still goes on when everything is over, and sends what it was about to send to a payment
    that is closed.
    """
    shop = open_shop(stack, provider_events=())
    payment = shop.payment()
    failpoints.arm(place, action)
    assert shop.post(payment).status == 201
    pid = strike(shop, place, action)
    if place == "execute.before_commit.confirm" and action == "stop":
        os.kill(pid, signal.SIGCONT)  # It holds the checkout's lock; while it stands nobody else can cancel.
    else:
        assert cancel(shop, payment) == 201
        assert states(shop, payment) <= {"EXECUTING", "NOT_STARTED"}, "nothing is known yet"
    assert_ended(shop, payment, end)
    if action == "stop" and place != "execute.before_commit.confirm":
        os.kill(pid, signal.SIGCONT)
        failpoints.arm("drain.started", "delay", times=400, milliseconds="0")
        eventually(lambda: pid in failpoints.fired("drain.started"), what="it works again")
        assert_ended(shop, payment, end)


@pytest.mark.parametrize("place", ["after_intent", "after_effect", "before_commit", "after_commit"])
def test_a_worker_that_dies_while_it_closes(stack: Stack, place: str) -> None:
    """The closing is sent again under the same nonce; the orders are CANCELED once."""
    shop = open_shop(stack, provider_events=())
    payment = shop.payment("pm_card_threeDSecure2Required")
    assert shop.post(payment).status == 201
    eventually(lambda: states(shop, payment) == {"REQUIRES_ACTION"})
    failpoints.arm(f"execute.{place}.expire", "kill")
    assert cancel(shop, payment) == 201
    strike(shop, f"execute.{place}.expire", "kill")
    assert_ended(shop, payment, "CANCELED")
    assert PspOperation.objects.filter(merchant_id=shop.merchant_id, kind="expire").count() == 1
    assert Charge.objects.get(merchant_id=shop.merchant_id).status == "CANCELED"


def test_beat_closes_what_was_not_paid_in_time(stack: Stack) -> None:
    """Nobody asks for it: the clock moves, and the system closes it at the provider."""
    from core import clock

    shop = open_shop(stack, provider_events=())
    payment = shop.payment("pm_card_threeDSecure2Required")
    assert shop.post(payment).status == 201
    eventually(lambda: states(shop, payment) == {"REQUIRES_ACTION"})
    try:
        clock.move(seconds=24 * 3600 + 1)
        eventually(lambda: states(shop, payment) == {"EXPIRED"}, within=40, what=shop.what_is_open())
    finally:
        clock.reset()
    orders = PaymentOrder.objects.filter(merchant_id=shop.merchant_id)
    assert orders.filter(cancel_requested_at=None).count() == 2
    assert shop.captures(payment) == []
