"""A provider that takes its time must cost nobody else anything."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from payments.models import PspOperation
from tests.faults.shop import assert_audits_are_clean, open_shop
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.processes

IN_FLIGHT = 8
GET_SECONDS = 1.0


@pytest.fixture
def two_connections(stack: Stack) -> Iterator[Stack]:
    """Workers with eight threads and two database connections."""
    small = {"DATABASE_POOL_MAX": "2", "DATABASE_POOL_TIMEOUT": "0.5"}
    stack.env |= small
    try:
        for name in ("worker-1", "worker-2"):
            stack.restart(name)
        yield stack
    finally:
        for name in small:
            del stack.env[name]
        for name in ("worker-1", "worker-2"):
            stack.restart(name)


def test_no_database_connection_waits_for_a_provider_f_a12(two_connections: Stack) -> None:
    """F-A12: eight calls hang at once on two connections; nobody waits for one, and reading stays quick."""
    shop = open_shop(two_connections)
    shop.fault("slow", operation="payment_intents.confirm", times=None, seconds=1.5)
    payments = [shop.payment() for _ in range(IN_FLIGHT)]
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        assert {answer.status for answer in pool.map(shop.post, payments)} == {201}
    operations = PspOperation.objects.filter(merchant_id=shop.merchant_id)
    sent = operations.filter(kind="confirm", status="SENT")
    eventually(lambda: sent.count() >= 4, every=0.02, what="several calls hang")
    started = time.monotonic()
    shown = shop.stack.api("GET", f"/v1/checkouts/{payments[0].checkout_id}", key=shop.secret)
    assert shown.status == 200 and time.monotonic() - started < GET_SECONDS
    shop.settle(*payments)
    stumbled = operations.exclude(attempts=0, error="")
    assert not stumbled.exists(), list(stumbled.values_list("kind", "attempts", "error"))
    for payment in payments:
        shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()
