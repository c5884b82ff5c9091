"""Refunds of what a balance paid, at once with each other and with payments from the same wallets."""

import threading
import uuid
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from core.audits import run_audits
from core.errors import DomainError
from core.transactions import at_edge
from payments.engine.refunds import request as requesting
from payments.models import PaymentEvent, PaymentOrder
from payments.services import request_refund
from payments.types import RefundRequest
from tests.payments.conftest import Shop, open_shop
from tests.payments.purses import Purse, open_purse
from tests.payments.refunding import state
from tests.racing import race
from tests.stateful.effort import rounds

KINDS = ["bonus", "points", "cash"]
CLIENTS = 6


def _paid(purse: Purse, amount: str, kinds: list[str]) -> dict[str, Any]:
    checkout = purse.shop.accept(purse.body(purse.shop.order(amount), wallet_kinds=kinds))
    order: dict[str, Any] = checkout["payment_orders"][0]
    return order


def _refund(purse: Purse, order: dict[str, Any], amount: str) -> Callable[[], Any]:
    request = RefundRequest(payment_order_id=order["payment_order_id"], amount=amount)

    def run() -> Any:
        return at_edge(request_refund)(
            merchant_id=purse.merchant_id, request=request, actor=f"key:{uuid.uuid4()}"
        ).id

    return run


@pytest.mark.chaos
def test_no_more_comes_back_than_was_paid_f_g1(open_counter: Shop) -> None:
    """F-G1, A-D2, I12: six clients ask for 15 of 40 at once: two get it, and the rest goes back after."""
    purse = open_purse(open_counter, cash=20_00)
    purse.give("bonus", 10_00)
    purse.give("points", 1000)
    for _ in range(rounds(few=10, many=200)):
        order = _paid(purse, "40.00", KINDS)
        outcomes = race([_refund(purse, order, "15.00")] * CLIENTS)
        refused = [each for each in outcomes if isinstance(each, DomainError)]
        assert [each.code for each in refused] == ["refund_exceeds_captured"] * (CLIENTS - 2)
        assert not [each for each in outcomes if isinstance(each, Exception) and each not in refused]
        assert state(open_counter, order) == ("30.00", "0.00")
        assert race([_refund(purse, order, "10.00")] * 3).count(None) == 0
        assert [purse.left(kind) for kind in KINDS] == [(10_00, 0), (1000, 0), (20_00, 0)]


def test_without_the_lock_more_comes_back(
    transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both decide by what they read before the other wrote; the wallet has 80, the order 40."""
    settings.INLINE_REGISTRATIONS = 0
    purse = open_purse(open_shop(None, "http://127.0.0.1:9"), cash=100_00)
    order = _paid(purse, "100.00", ["cash"])
    both_have_read = threading.Barrier(2, timeout=20)

    def careless(*, checkout_id: UUID) -> tuple[PaymentEvent, list[PaymentOrder]]:
        found = list(PaymentOrder.objects.filter(checkout_id=checkout_id))
        both_have_read.wait()
        return PaymentEvent.objects.get(pk=checkout_id), found

    monkeypatch.setattr(requesting, "lock_checkout_orders", careless)
    outcomes = race([_refund(purse, order, "40.00")] * 2)
    assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
    assert (purse.left(), state(purse.shop, order)) == ((80_00, 0), ("40.00", "0.00"))
    violated = {each.name for each in run_audits(store=False).violated}
    assert "order_reserves_its_live_refunds" in violated


@pytest.mark.chaos
def test_refunds_and_payments_share_wallets_without_a_deadlock_f_g6(open_counter: Shop) -> None:
    """F-G6: points go back to grants while others take them; nothing is lost, and nobody waits for ever."""
    purse = open_purse(open_counter, cash=60_00)
    purse.give("points", 1000)
    purse.give("points", 1000)
    for _ in range(rounds(few=2, many=60)):
        orders = [_paid(purse, "9.00", ["points", "cash"]) for _ in range(4)]
        bodies = [
            purse.body(open_counter.order("3.00", seller), wallet_kinds=["points", "cash"])
            for seller in ("ann", "bob") * 2
        ]
        pays = [
            lambda body=body: open_counter.store.post("/v1/payments", body, key=uuid.uuid4().hex).status_code
            for body in bodies
        ]
        outcomes = race([*(_refund(purse, order, "2.50") for order in orders * 2), *pays])
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        assert outcomes[-4:] == [201] * 4
        for body in (*bodies, *orders):
            found = body.get("payment_orders", [body])[0]
            _refund(purse, found, "")()
        assert (purse.left("points"), purse.left()) == ((2000, 0), (60_00, 0))
