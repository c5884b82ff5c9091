"""The database dies, or its last word is lost: what was acknowledged is there, the rest is sent again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import override_settings

from payments.models import PaymentEvent
from tests.faults.postgres import CommitCutter, Server, logged_in_at
from tests.faults.shop import Payment, Shop, assert_all_paid_once, assert_audits_are_clean, open_shop
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.processes

PAYMENTS, CLIENTS = 200, 6
STOP_AFTER = (30, 90, 150)


@pytest.fixture
def mortal(
    tmp_path_factory: pytest.TempPathFactory, database: str, whole_stack: Stack
) -> Iterator[tuple[Server, Stack]]:
    """A whole system on a PostgreSQL of its own, which the test may stop."""
    server = Server(tmp_path_factory.mktemp("mortal"))
    server.start()
    server.install()
    url = server.url("quittance_app")
    stack = Stack(tmp_path_factory.mktemp("stack"), database_url=url, DATABASE_POOL_TIMEOUT="1")
    with override_settings(TEST_HOOKS=True, HOOKS_DIR=str(stack.hooks)), logged_in_at(url):
        try:
            stack.start("broker", "sandbox", "web", "worker-1", "worker-2", "beat")
            yield server, stack
        finally:
            stack.stop()
    server.stop_immediately()


class Stores:
    """Clients that send payments until each is acknowledged, and count what went wrong on the way."""

    def __init__(self, shop: Shop) -> None:
        self.shop, self.guard = shop, threading.Lock()
        self.acknowledged: list[Payment] = []
        self.refused = self.broken = 0

    def pay(self, payment: Payment) -> None:
        eventually(lambda: self._once(payment), within=90, every=0.2, what="acknowledged")

    def _once(self, payment: Payment) -> bool:
        try:
            answer = self.shop.post(payment)
        except OSError:
            with self.guard:
                self.broken += 1
            return False
        assert answer.status in (201, 429, 503), (answer.status, answer.body)
        if answer.status == 503:
            assert answer.headers["Retry-After"]
        with self.guard:
            if answer.status == 201:
                self.acknowledged.append(payment)
            else:
                self.refused += 1
        return answer.status == 201


def test_immediate_stops_during_200_payments_f_e1(mortal: tuple[Server, Stack]) -> None:
    """F-E1: PostgreSQL is stopped three times without warning; no acknowledged payment is lost or doubled."""
    server, stack = mortal
    shop = open_shop(stack, provider_events=("payment_intent.succeeded",))
    stores = Stores(shop)
    payments = [shop.payment() for _ in range(PAYMENTS)]
    connection.close()
    with ThreadPoolExecutor(CLIENTS) as pool:
        running = [pool.submit(stores.pay, payment) for payment in payments]
        for count in STOP_AFTER:
            eventually(lambda count=count: len(stores.acknowledged) >= count, within=90, every=0.01)
            server.stop_immediately()
            known = [payment.checkout_id for payment in stores.acknowledged]
            server.start()
            found = PaymentEvent.objects.filter(merchant_id=shop.merchant_id, checkout_id__in=known).count()
            assert found == len(known), "an acknowledged payment is gone"
            connection.close()
        for each in running:
            each.result()
    print(f"acknowledged {len(stores.acknowledged)}, refused {stores.refused}, broken {stores.broken}")
    assert stores.refused + stores.broken > 0, "no request was in flight when the database stopped"
    assert_all_paid_once(shop, payments, within=120)
    for payment in payments[::20]:
        shop.assert_paid_exactly_once(payment)


@pytest.fixture
def cutter(stack: Stack) -> Iterator[CommitCutter]:
    """The web process reaches PostgreSQL through a line that can break at a COMMIT."""
    place: Any = urlsplit(stack.env["DATABASE_URL"])
    proxy = CommitCutter(place.hostname, place.port, statement='INSERT INTO "payments_paymentevent"')
    direct = stack.env["DATABASE_URL"]
    try:
        stack.env["DATABASE_URL"] = direct.replace(f":{place.port}/", f":{proxy.port}/")
        stack.restart("web")
        yield proxy
    finally:
        stack.env["DATABASE_URL"] = direct
        stack.restart("web")
        proxy.close()


def test_the_word_that_a_commit_is_done_is_lost_f_e2(cutter: CommitCutter, shop: Shop) -> None:
    """F-E2: the server committed and we do not know; the retry under the same key finds it."""
    for _ in range(3):
        payment = shop.payment()
        cutter.armed.set()
        answer = shop.post(payment)
        assert answer.status == 503, answer.body
        assert not cutter.armed.is_set()
        assert PaymentEvent.objects.filter(checkout_id=payment.checkout_id).count() == 1
        again = shop.post(payment)
        assert (again.status, again.headers["Idempotent-Replayed"]) == (201, "true")
        shop.settle(payment)
        shop.assert_paid_exactly_once(payment)
    assert cutter.cuts == 3
    assert_audits_are_clean()
