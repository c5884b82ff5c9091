"""A-D1, W5: many payments from one wallet at once; exactly as many succeed as the balance is good for."""

import uuid
from collections.abc import Iterator, Sequence
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from core.audits import run_audits
from tests.payments.conftest import open_shop
from tests.payments.purses import Purse, open_purse
from tests.racing import race
from tests.stateful.effort import rounds
from wallet.selectors import get_wallet
from wallet.services import planning
from wallet.types import Balances

pytestmark = pytest.mark.chaos
CLIENTS = 6
# Balance and price in cents; of which kinds it is paid.
CASES = [
    (100_00, 30_00, ["cash"]),
    (35_00, 10_00, ["cash"]),
    (20_00, 9_00, ["bonus", "points", "cash"]),
    (5_00, 10_00, ["cash"]),
    (80_00, 10_00, ["cash", "bonus"]),
]


@pytest.fixture
def purse(transactional_db: None, settings: Any) -> Iterator[Purse]:
    """A buyer at a counter without any provider."""
    settings.INLINE_REGISTRATIONS = 0
    yield open_purse(open_shop(None, "http://127.0.0.1:9"))
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def _fill(purse: Purse, cash: int, kinds: list[str]) -> int:
    """Put cash, and as much of what else is spent, into the wallets; return what they are worth together."""
    purse.fill(cash)
    for kind in kinds:
        if kind != "cash":
            purse.give(kind, 5_00)
    return sum(purse.left(kind)[0] for kind in kinds)


def _pay(purse: Purse, price: int, kinds: list[str]) -> int:
    body = purse.body(purse.shop.order(f"{price // 100}.{price % 100:02}"), wallet_kinds=kinds)
    return int(purse.shop.store.post("/v1/payments", body, key=uuid.uuid4().hex).status_code)


def test_exactly_as_many_succeed_as_there_is_money_for(purse: Purse) -> None:
    """A-D1, W5: whatever was left before counts too; no payment is refused while the money is there."""
    for number in range(rounds(few=10, many=200)):
        cash, price, kinds = CASES[number % len(CASES)]
        total = _fill(purse, cash, kinds)
        codes = race([lambda p=price, k=kinds: _pay(purse, p, k)] * CLIENTS)
        wanted = min(total // price, CLIENTS)
        assert codes.count(201) == wanted and codes.count(422) == CLIENTS - wanted, (number, codes, total)
        assert sum(purse.left(kind)[0] for kind in kinds) == total - wanted * price
        assert all(purse.left(kind)[1] == 0 for kind in kinds)


def test_the_control_that_plans_without_the_lock_refuses_what_is_covered(
    purse: Purse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same race without the lock under the plan: all plan the same bonus, and one is refused in vain."""
    purse.fill(11_00)
    assert _pay(purse, 1_00, ["cash"]) == 201  # The seller has a wallet from now on.
    purse.give("bonus", 10_00)
    everybody_has_looked = Barrier(2, timeout=30)

    def careless(*, merchant_id: UUID, wallet_ids: Sequence[UUID]) -> dict[UUID, Balances]:
        found = [get_wallet(merchant_id=merchant_id, wallet_id=each) for each in wallet_ids]
        everybody_has_looked.wait()
        return {
            each.id: Balances(
                each.pending_minor, each.available_minor, each.held_minor, each.receivable_minor
            )
            for each in found
        }

    monkeypatch.setattr(planning, "lock_wallets", careless)
    codes = race([lambda: _pay(purse, 10_00, ["bonus", "cash"])] * 2)
    assert sorted(codes) == [201, 422]
