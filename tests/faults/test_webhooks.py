"""What the provider tells, earlier than it answers, or all at once."""

import os
import statistics
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from channels.models import PspCall
from core.models import DeadLetter
from events.models import InboxWork, WebhookInbox
from payments.models import Charge, PspOperation
from tests.faults.shop import Shop, assert_audits_are_clean, open_shop
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.processes

# What an hour without our endpoint leaves; 1,000 in every run, 10,000 when asked for.
BURST = int(os.environ.get("BURST_EVENTS", "1000"))
SENDERS = 8
# A store waits for its own question meanwhile; the bound is generous because the senders share the machine.
GET_SECONDS = 2.0
ASIDE = timedelta(milliseconds=50)


def test_told_before_it_is_answered_f_c1(stack: Stack) -> None:
    """F-C1: the webhook is delivered and acknowledged before the provider answers the call that caused it."""
    shop = open_shop(stack, provider_events=("payment_intent.succeeded",))
    shop.fault("webhook_before_response", operation="payment_intents.confirm", times=None)
    payments = [shop.payment() for _ in range(12)]
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status for answer in pool.map(shop.post, payments)} == {201}
    shop.settle(*payments)
    for payment in payments:
        shop.assert_paid_exactly_once(payment)
        _assert_told_first(shop, payment.checkout_id)
    assert not DeadLetter.objects.filter(merchant_id=shop.merchant_id).exists()
    assert_audits_are_clean()


def _assert_told_first(shop: Shop, checkout_id: str) -> None:
    charge = Charge.objects.get(merchant_id=shop.merchant_id, checkout__checkout_id=checkout_id)
    confirm = PspOperation.objects.get(charge=charge, kind="confirm")
    call = PspCall.objects.get(operation_id=confirm.id)
    told = WebhookInbox.objects.filter(merchant_id=shop.merchant_id)
    row = next(row for row in told if str(charge.psp_reference).encode() in bytes(row.raw))
    # The call's time and its length are read from two clocks, and a thread may be put aside in between.
    assert row.received_at < call.at + timedelta(milliseconds=call.duration_ms) + ASIDE


class _Asking(threading.Thread):
    """A store that asks about one checkout all the time, and how long each answer took."""

    def __init__(self, shop: Shop, checkout_id: str) -> None:
        super().__init__(daemon=True)
        self._shop, self._checkout_id = shop, checkout_id
        self._over = threading.Event()
        self.seconds: list[float] = []

    def run(self) -> None:
        while not self._over.wait(0.05):
            started = time.monotonic()
            path = f"/v1/checkouts/{self._checkout_id}"
            assert self._shop.stack.api("GET", path, key=self._shop.secret).status == 200
            self.seconds.append(time.monotonic() - started)

    def finish(self) -> float:
        """Stop asking; return the 95th percentile."""
        self._over.set()
        self.join()
        return statistics.quantiles(self.seconds, n=20)[-1]


@pytest.fixture
def unheard(stack: Stack) -> Iterator[Shop]:
    """A merchant whose provider could not reach us."""
    yield open_shop(stack, provider_events=(), tells_store=False)


def test_a_burst_of_events_f_c7(unheard: Shop) -> None:
    """F-C7: what was kept back comes at once: stored once each, drained, and stores still served."""
    shop = unheard
    payments = [shop.payment() for _ in range(10)]
    for payment in payments:
        assert shop.post(payment).status == 201
    eventually(
        lambda: all(order.status == "SUCCESS" for each in payments for order in shop.orders(each)),
        within=40,
        what="all paid",
    )
    known = shop.stack.control("GET", f"events?account={shop.account}&type=payment_intent.succeeded")["data"]
    assert len(known) == len(payments)
    events = [
        {**{key: value for key, value in known[n % len(known)].items() if key != "account"}, "id": _name()}
        for n in range(BURST)
    ]
    asking = _Asking(shop, payments[0].checkout_id)
    asking.start()
    begun = time.monotonic()
    with ThreadPoolExecutor(SENDERS) as pool:
        # Every tenth comes twice, as it does when our answer was lost.
        answers = list(pool.map(shop.tell, [*events, *events[::10]]))
    stored_after = time.monotonic() - begun
    assert {answer.status for answer in answers} == {200}
    work = InboxWork.objects.filter(merchant_id=shop.merchant_id)
    eventually(lambda: not work.exclude(status="DONE").exists(), within=60 + BURST / 20, every=0.5)
    drained_after, p95 = time.monotonic() - begun, asking.finish()
    print(
        f"{BURST} events: stored after {stored_after:.1f} s, drained after {drained_after:.1f} s;"
        f" meanwhile a store's question took {p95 * 1000:.0f} ms (p95 of {len(asking.seconds)})"
    )
    assert p95 < GET_SECONDS
    assert WebhookInbox.objects.filter(merchant_id=shop.merchant_id).count() == BURST == work.count()
    for payment in payments:
        assert [row["kind"] for row in shop.captures(payment)] == ["charge.captured"]
    assert not DeadLetter.objects.filter(merchant_id=shop.merchant_id).exists()
    assert_audits_are_clean()


def _name() -> str:
    return f"evt_{uuid.uuid4().hex}"
