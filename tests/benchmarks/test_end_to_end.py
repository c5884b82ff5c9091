"""How many payments go the whole way in a second: accepted, charged, in the books, and the store told."""

import json
import os
import time
from typing import Any

import pytest

from events.models import WebhookDelivery
from payments.models import PaymentOrder
from tests.benchmarks.conftest import SLACK, Bench, table
from tests.waiting import eventually

pytestmark = [pytest.mark.benchmark, pytest.mark.processes]

PAYMENTS = int(os.environ.get("BENCH_PAYMENTS", "400"))
WARM_UP = 20
FLOOR = 40.0


def test_payments_end_to_end_per_second(bench: Bench) -> None:
    """All are pushed as fast as they are accepted; the clock stops when the store knows the last success."""
    bench.stack.start("worker", "beat")
    _pay(bench, count=WARM_UP)
    bench.cpu.restart()

    begun = time.monotonic()
    load, paid_after = _pay(bench, count=PAYMENTS)
    told_after = time.monotonic() - begun
    cpu = bench.cpu.milliseconds(per=PAYMENTS)

    received = bench.stack.control("GET", "/store/webhooks?verified=true")["data"]
    bodies = [json.loads(each["body"]) for each in received]
    heard = {body["subject"] for body in bodies if body["type"] == "payment.succeeded"}
    rate = PAYMENTS / told_after
    table(
        f"end to end: {PAYMENTS} payments of one order at once, everything on this machine",
        {
            "accepted/s meanwhile": load.rate,
            "end to end/s": rate,
            "seconds until all paid": paid_after,
            "seconds until the store knew all": told_after,
            **{f"CPU ms per payment, {name}": value for name, value in sorted(cpu.items())},
            "CPU ms per payment, all": sum(cpu.values()),
        },
    )
    bench.audit()
    assert len(heard) == PAYMENTS + WARM_UP
    assert rate * SLACK >= FLOOR


def _pay(bench: Bench, *, count: int) -> tuple[Any, float]:
    """Push payments and wait until the store has heard of every success among all that there are."""
    begun = time.monotonic()
    known = PaymentOrder.objects.filter(status="SUCCESS").count()
    load = bench.load().at_once(count=count, threads=4, within=20)
    paid = PaymentOrder.objects.filter(status="SUCCESS")
    eventually(lambda: paid.count() >= known + count, within=60, every=0.1, what="all paid")
    paid_after = time.monotonic() - begun
    told = WebhookDelivery.objects.filter(event__type="payment.succeeded", status="DELIVERED")
    eventually(lambda: told.count() >= known + count, within=60, every=0.1, what="the store knows all")
    return load, paid_after
