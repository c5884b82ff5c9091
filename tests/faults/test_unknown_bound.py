"""Outcomes that nobody knows, with no webhook to help: known within a minute of the provider's return."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from payments.models import Charge, PspOperation
from tests.faults.shop import Payment, Shop, assert_audits_are_clean, open_shop
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = pytest.mark.processes

BOUND_SECONDS = 60
IN_FLIGHT = 12


def _send(shop: Shop) -> list[Payment]:
    shop.stack.control("POST", "webhooks", {"mode": "drop"})
    payments = [shop.payment() for _ in range(IN_FLIGHT)]
    with ThreadPoolExecutor(6) as pool:
        assert {answer.status for answer in pool.map(shop.post, payments)} == {201}
    return payments


def _resolve_within_the_bound(shop: Shop, payments: list[Payment]) -> None:
    started = time.monotonic()
    shop.settle(*payments, within=BOUND_SECONDS)
    print(f"{len(payments)} payments known {time.monotonic() - started:.1f} s after the fault's end")
    for payment in payments:
        _assert_ended_right(shop, payment)
    assert_audits_are_clean()


def _assert_ended_right(shop: Shop, payment: Payment) -> None:
    """Paid once, or FAILED with the object closed at the provider or never made there."""
    took = [row["kind"] for row in shop.captures(payment)]
    statuses = {order.status for order in shop.orders(payment)}
    if statuses == {"SUCCESS"}:
        assert took == ["charge.captured"]
        return
    assert statuses == {"FAILED"} and took == []
    charge = Charge.objects.get(checkout__checkout_id=payment.checkout_id)
    if charge.psp_reference:
        expire = PspOperation.objects.get(charge=charge, kind="expire")
        assert expire.status == "SUCCEEDED"


def _unknown(shop: Shop) -> Any:
    return PspOperation.objects.filter(merchant_id=shop.merchant_id, status="UNKNOWN")


@pytest.fixture
def deaf(stack: Stack) -> Shop:
    """A merchant whom no webhook reaches, and whose store (at the port that is closed) is told nothing."""
    return open_shop(stack, provider_events=(), tells_store=False)


@pytest.mark.parametrize("kind", ["charged_but_timeout", "not_charged_timeout"])
def test_timeouts_then_silence_f_a5_f_c6(deaf: Shop, kind: str) -> None:
    """F-A5, F-C6: every call times out for a while, charged or not; then all are known within the bound."""
    deaf.fault(kind, operation="payment_intents.confirm", times=None)
    deaf.fault("not_charged_timeout", operation="payment_intents.retrieve", times=None)
    payments = _send(deaf)
    eventually(lambda: _unknown(deaf).count() >= 6, within=40, what="several outcomes are unknown")
    assert not [each for each in payments if {order.status for order in deaf.orders(each)} & {"FAILED"}]
    deaf.stack.control("DELETE", "faults")
    _resolve_within_the_bound(deaf, payments)


def test_connections_refused_for_a_while_f_a6(deaf: Shop) -> None:
    """F-A6: nothing listens at the provider; what was not sent is sent when it is back, under its key."""
    deaf.stack.control("POST", "listener", {"open": False})
    try:
        payments = _send(deaf)
        refused = PspOperation.objects.filter(merchant_id=deaf.merchant_id, status="NOT_SENT")
        eventually(lambda: refused.count() >= 6, within=40, what="several were refused")
    finally:
        deaf.stack.control("POST", "listener", {"open": True})
    _resolve_within_the_bound(deaf, payments)
    assert {order.status for payment in payments for order in deaf.orders(payment)} == {"SUCCESS"}


def test_away_in_the_middle_f_a5_f_a6(deaf: Shop) -> None:
    """F-A5, F-A6: charged, the answer lost, and then the provider is away: nothing is guessed meanwhile."""
    deaf.fault("charged_but_timeout", operation="payment_intents.confirm", times=None)
    payments = _send(deaf)
    eventually(lambda: _unknown(deaf).count() >= 4, within=40, what="several outcomes are unknown")
    deaf.stack.control("POST", "listener", {"open": False})
    try:
        asked = _unknown(deaf).filter(asked__gte=2)
        eventually(lambda: asked.count() >= 2, within=40, what="they were asked about in vain")
        ends = {order.status for payment in payments for order in deaf.orders(payment)}
        assert "FAILED" not in ends
    finally:
        deaf.stack.control("DELETE", "faults")
        deaf.stack.control("POST", "listener", {"open": True})
    _resolve_within_the_bound(deaf, payments)
    assert {order.status for payment in payments for order in deaf.orders(payment)} == {"SUCCESS"}


def test_back_after_hours_f_c6(deaf: Shop) -> None:
    """F-C6: asked in vain so often that it is asked rarely, and no worker remembers the failure."""
    deaf.fault("charged_but_timeout", operation="payment_intents.confirm", times=None)
    deaf.fault("http_503", operation="payment_intents.retrieve", times=None)
    payments = _send(deaf)
    eventually(lambda: _unknown(deaf).count() >= 8, within=40, what="most outcomes are unknown")
    for name in ("worker-1", "worker-2"):
        deaf.stack.kill(name)
    silent = _unknown(deaf).update(asked=150, due_at=timezone.now() + timedelta(seconds=300))
    assert silent >= 8
    deaf.stack.control("DELETE", "faults")
    deaf.stack.start("worker-1", "worker-2")
    _resolve_within_the_bound(deaf, payments)
    assert {order.status for payment in payments for order in deaf.orders(payment)} == {"SUCCESS"}
