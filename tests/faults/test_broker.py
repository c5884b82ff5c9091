"""The broker is a bell, not a memory: whatever it loses, delays or repeats, the database knows the work."""

import os
import resource
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
import redis

from core import failpoints
from payments.models import PspOperation
from tests.faults.shop import Payment, Shop, assert_all_paid_once, assert_audits_are_clean, open_shop
from tests.stack import Stack, is_alive, is_stopped
from tests.waiting import eventually

pytestmark = pytest.mark.processes

CLIENTS = 6


@pytest.fixture
def many() -> Iterator[ThreadPoolExecutor]:
    """Stores that send at the same time."""
    with ThreadPoolExecutor(CLIENTS) as pool:
        yield pool


def test_flushall_during_200_payments_f_d7(stack: Stack, many: ThreadPoolExecutor) -> None:
    """F-D7: the broker forgets everything every 20 payments; nothing is lost, without the provider's help."""
    shop = open_shop(stack, provider_events=())
    broker = redis.Redis.from_url(shop.stack.broker_url)
    payments = [shop.payment() for _ in range(200)]
    flushed = 0
    for number, answer in enumerate(many.map(shop.post, payments)):
        assert answer.status == 201, answer.body
        if number % 20 == 10:
            broker.flushall()
            flushed += 1
    assert flushed == 10
    assert_all_paid_once(shop, payments, within=90)


def test_broker_down_at_enqueue_f_d1(shop: Shop) -> None:
    """F-D1: without a broker payments are accepted all the same, and done when it is back."""
    shop.stack.kill("broker")
    payments = [shop.payment() for _ in range(5)]
    for payment in payments:
        assert shop.post(payment).status == 201
    assert {order.status for payment in payments for order in shop.orders(payment)} == {"NOT_STARTED"}
    shop.stack.start("broker")
    assert_all_paid_once(shop, payments, within=60)


def test_killed_between_commit_and_its_callback_f_d2(shop: Shop) -> None:
    """F-D2: the nudge was never sent; beat finds the work."""
    payment = shop.payment()
    failpoints.arm("nudge.operations", "kill")
    with suppress(OSError):
        shop.post(payment)
    assert len(failpoints.fired("nudge.operations")) == 1
    shop.post_until_accepted(payment)
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()


def test_cold_shutdowns_of_the_worker_f_d3(shop: Shop, many: ThreadPoolExecutor) -> None:
    """F-D3: SIGQUIT ends a worker wherever it is, again and again; what was committed is not done twice."""
    payments = [shop.payment() for _ in range(40)]
    for name in ("worker-1", "worker-2", "worker-1", "worker-2"):
        accepted = list(many.map(shop.post, payments[:10]))
        assert {answer.status for answer in accepted} == {201}
        failpoints.arm("execute.after_effect.confirm", "delay", milliseconds="1")
        eventually(lambda: failpoints.fired("execute.after_effect.confirm"), what="a worker is paying")
        eventually(lambda name=name: _quit(shop.stack, name), every=0.3, what=f"{name} has gone")
        shop.stack.start(name)
        failpoints.disarm()
        payments = payments[10:] + payments[:10]
    assert_all_paid_once(shop, payments, within=60)


def _quit(stack: Stack, name: str) -> bool:
    """The first SIGQUIT ends the worker softly, the next one where it stands."""
    stack.kill(name, signal.SIGQUIT)
    return stack.processes[name].poll() is not None


@pytest.fixture
def pool(stack: Stack) -> Iterator[Stack]:
    """One worker with two children in place of the two workers of one process."""
    stack.kill("worker-1", signal.SIGTERM)
    stack.kill("worker-2", signal.SIGTERM)
    stack.start("prefork")
    try:
        yield stack
    finally:
        stack.kill("prefork")
        del stack.processes["prefork"]
        stack.start("worker-1", "worker-2")


def _child_that_has_charged(shop: Shop, payment: Payment) -> int:
    """Send a payment; return the pool's child that stands still between the provider's yes and our commit."""
    failpoints.arm("execute.after_effect.confirm", "stop")
    assert shop.post(payment).status == 201
    child = eventually(lambda: failpoints.fired("execute.after_effect.confirm"), what="child stopped")[0]
    eventually(lambda: is_stopped(child), what="child stands still")
    assert shop.captures(payment) and child != shop.stack.processes["prefork"].pid
    return child


@pytest.mark.parametrize("whom", ["child", "main"])
def test_kill_9_after_the_provider_accepted_f_d4(pool: Stack, shop: Shop, whom: str) -> None:
    """F-D4: a pool child, or the whole worker, dies between the provider's yes and our commit."""
    payment = shop.payment()
    child = _child_that_has_charged(shop, payment)
    if whom == "child":
        os.kill(child, signal.SIGKILL)
    else:
        pool.restart("prefork")
    shop.settle(payment)
    shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()


def test_a_child_without_memory_f_d5(pool: Stack, shop: Shop) -> None:
    """F-D5: a child gets no more memory after the provider's yes, and the kernel kills it a moment later.

    Whatever it still managed to do meanwhile, the pool goes on and the payment ends once.
    """
    payment, next_one = shop.payment(), shop.payment()
    child = _child_that_has_charged(shop, payment)
    resource.prlimit(child, resource.RLIMIT_AS, (1, 1))
    os.kill(child, signal.SIGCONT)
    operation = PspOperation.objects.get(merchant_id=shop.merchant_id, kind="confirm")

    def has_stumbled() -> bool:
        """It is gone, or it wrote the outcome with what memory it had, or its failure was recorded."""
        operation.refresh_from_db()
        return not is_alive(child) or operation.status == "SUCCEEDED" or operation.attempts > 0

    eventually(has_stumbled, what="the child goes on without memory")
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    assert shop.post(next_one).status == 201
    shop.settle(payment, next_one)
    for each in (payment, next_one):
        shop.assert_paid_exactly_once(each)
    assert_audits_are_clean()


def test_messages_are_delivered_again_f_d6(stack: Stack, many: ThreadPoolExecutor) -> None:
    """F-D6: tasks outlast the visibility timeout of 1 s, so each is handed out again while it runs."""
    shop = open_shop(stack)
    stack.env["CELERY_VISIBILITY_TIMEOUT"] = "1"
    try:
        stack.restart("worker-1")
        stack.restart("worker-2")
        shop.fault("slow", operation="payment_intents.confirm", times=None, seconds=1.5)
        payments = [shop.payment() for _ in range(12)]
        assert {answer.status for answer in many.map(shop.post, payments)} == {201}
        assert_all_paid_once(shop, payments, within=60)
    finally:
        del stack.env["CELERY_VISIBILITY_TIMEOUT"]
        stack.restart("worker-1")
        stack.restart("worker-2")


def test_two_schedulers_and_two_relays_f_d11_f_d16(shop: Shop, many: ThreadPoolExecutor) -> None:
    """F-D11, F-D16: beat runs twice, relays run at once; each event is published once, in order."""
    stack = shop.stack
    stack.start("beat-2")
    try:
        payments = [shop.payment() for _ in range(30)]
        assert {answer.status for answer in many.map(shop.post, payments)} == {201}
        assert_all_paid_once(shop, payments, within=60)
        for payment in payments[:3]:
            shop.assert_paid_exactly_once(payment)
        shop.assert_told_once_in_order()
    finally:
        stack.kill("beat-2")
        del stack.processes["beat-2"]
