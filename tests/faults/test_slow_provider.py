"""A provider that takes its time must cost nobody else anything."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from payments.models import PspOperation
from tests.faults.shop import Shop, assert_audits_are_clean, open_shop
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.processes

IN_FLIGHT = 8
# The 99th percentile of so few is the slowest; whoever waited for the provider would wait 1.5 s.
QUESTIONS, GET_SECONDS = 20, 1.4


@pytest.fixture
def two_connections(stack: Stack) -> Iterator[Stack]:
    """Workers with many threads and two connections, for which nobody waits as long as a call hangs."""
    small = {"DATABASE_POOL_MAX": "2", "DATABASE_POOL_TIMEOUT": "1.2"}
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
    slowest = _slowest_question(shop, payments[0].checkout_id, while_=sent.exists)
    assert slowest < GET_SECONDS
    shop.settle(*payments)
    stumbled = operations.exclude(attempts=0, error="")
    assert not stumbled.exists(), list(stumbled.values_list("kind", "attempts", "error"))
    for payment in payments:
        shop.assert_paid_exactly_once(payment)
    assert_audits_are_clean()


def _slowest_question(shop: Shop, checkout_id: str, *, while_: Callable[[], bool]) -> float:
    """Ask as a store does for as long as calls hang; return the longest wait of all."""
    waits: list[float] = []
    while len(waits) < QUESTIONS or while_():
        started = time.monotonic()
        assert shop.stack.api("GET", f"/v1/checkouts/{checkout_id}", key=shop.secret).status == 200
        waits.append(time.monotonic() - started)
    print(f"{len(waits)} questions while the provider hung, the slowest took {max(waits) * 1000:.0f} ms")
    return max(waits)
