"""Where the CPU of a payment goes: accept, execute, publish and deliver, one after the other in this process.

The figures of a profile are inflated by the profiler; the CPU per payment beside it is measured without.
"""

import cProfile
import io
import json
import os
import pstats
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

import pytest
from django.test import Client

from core.drain import get_drain
from tests.benchmarks.conftest import one_order, table
from tests.payments import deliveries
from tests.payments.conftest import Shop, provider, shop

__all__ = ["provider", "shop"]  # fixtures

pytestmark = pytest.mark.benchmark

PAYMENTS = int(os.environ.get("PROFILE_PAYMENTS", "200"))
LINES = int(os.environ.get("PROFILE_LINES", "25"))


@pytest.fixture(autouse=True)
def as_installed(settings: Any) -> None:
    """Without what only tests pay for."""
    settings.TEST_HOOKS = False
    settings.DEBUG = False


def test_where_the_cpu_of_accepting_goes(shop: Shop) -> None:
    """POST /v1/payments through the whole of the web application."""
    _accept(shop, 20)
    _profiled("accept", lambda: _accept(shop, PAYMENTS))


def test_where_the_cpu_of_executing_goes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The drain of operations: register, confirm, books, history, events."""
    # A profile shows one thread, and the work of each is the same.
    monkeypatch.setattr(get_drain("operations"), "_threads", _InTurn(), raising=False)
    _accept(shop, 10)
    get_drain("operations").run()
    _accept(shop, PAYMENTS)
    _profiled("execute", lambda: get_drain("operations").run(seconds=120))


def test_where_the_cpu_of_being_told_goes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's event of each payment: stored as it comes, then handled by the drain of the inbox."""
    for name in ("operations", "inbox"):
        monkeypatch.setattr(get_drain(name), "_threads", _InTurn(), raising=False)
    _accept(shop, PAYMENTS)
    get_drain("operations").run(seconds=120)
    found = shop.provider.control("GET", f"events?account={shop.account_id}")["data"]
    told = [
        {key: value for key, value in event.items() if key != "account"}
        for event in found
        if event["type"] == "payment_intent.succeeded"
    ]
    assert len(told) == PAYMENTS
    client = Client()  # A new one would load the middleware again.
    monkeypatch.setattr(deliveries, "Client", lambda: client)
    assert deliveries.deliver(shop, told.pop()) == 200
    _profiled("store an event", lambda: [deliveries.deliver(shop, event) for event in told])
    _profiled("handle an event", lambda: get_drain("inbox").run(seconds=120))


class _InTurn:
    """An executor that executes at once."""

    def submit(self, work: Callable[..., Any], *items: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        done.set_result(work(*items))
        return done


def _accept(shop: Shop, count: int) -> None:
    for _ in range(count):
        answer = shop.store.post("/v1/payments", one_order(), key=uuid.uuid4().hex)
        assert answer.status_code == 201, answer.content
        json.loads(answer.content)


def _profiled(name: str, work: Callable[[], object]) -> None:
    profile = cProfile.Profile(time.process_time) if LINES else None
    begun, wall = time.process_time(), time.monotonic()
    if profile:
        profile.runcall(work)
    else:
        work()
    spent, passed = time.process_time() - begun, time.monotonic() - wall
    each = {"CPU ms each": spent * 1000 / PAYMENTS, "wall ms each": passed * 1000 / PAYMENTS}
    if profile:
        # Does not depend on what else the machine does.
        each["function calls each"] = float(getattr(pstats.Stats(profile), "total_calls", 0)) / PAYMENTS
    table(f"{name}, {PAYMENTS} payments of one order{', profiled' if profile else ''}", each)
    if profile is None:
        return
    for order in ("cumulative", "tottime"):
        text = io.StringIO()
        pstats.Stats(profile, stream=text).strip_dirs().sort_stats(order).print_stats(LINES)
        print(text.getvalue()[text.getvalue().index("   ncalls") :])
