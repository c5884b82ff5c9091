"""Balance payments that wait for somebody: what is held is paid with the yes, and comes back with any no."""

import uuid
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from core import clock
from core.audits import run_audits
from core.drain import get_drain
from core.ids import parse_public_id
from core.transactions import at_edge
from payments.errors import ReviewDecided
from payments.models import BalancePart
from payments.services import approve_review, reject_review
from tests.openapi.contract import check_events
from tests.payments.conftest import open_shop
from tests.payments.purses import Purse, open_purse
from tests.racing import race
from tests.risk.rules import enforce
from tests.store import error
from wallet.models import Grant
from wallet.services import expire_holds

KINDS = ["bonus", "points", "cash"]


@pytest.fixture
def purse(transactional_db: None, settings: Any, hooks: Any) -> Iterator[Purse]:
    """A buyer with a hundred dollars, ten of bonus and points for five, whose payments are all held."""
    settings.INLINE_REGISTRATIONS = 0
    purse = open_purse(open_shop(None, "http://127.0.0.1:9"), cash=100_00)
    purse.give("bonus", 10_00)
    purse.give("points", 500)
    enforce(purse.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="review", reason="look")
    yield purse
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def _held(purse: Purse, amount: str = "30.00", **other: Any) -> tuple[dict[str, Any], UUID]:
    body = purse.body(purse.shop.order(amount), wallet_kinds=KINDS, **other)
    accepted = purse.shop.accept(body)
    key = parse_public_id(accepted["id"], "chk")
    assert key is not None and accepted["status"] == "in_review"
    return accepted, key


def _status(purse: Purse, checkout: dict[str, Any]) -> str:
    return str(purse.shop.checkout(checkout["checkout_id"])["status"])


def _purses(purse: Purse) -> list[tuple[int, int]]:
    return [purse.left(kind) for kind in KINDS]


def test_a_yes_pays_what_is_held(purse: Purse) -> None:
    """W3 at the door, W4, W2b and W2c with the yes; nothing else was spent meanwhile."""
    accepted, key = _held(purse)
    assert _purses(purse) == [(0, 10_00), (0, 500), (85_00, 15_00)]
    assert not BalancePart.objects.filter(paid=True).exists()
    at_edge(approve_review)(checkout_id=key, by="user:ann", reason="known")
    assert _status(purse, accepted) == "succeeded" and purse.shop.checkout(accepted["id"])["is_payment_done"]
    assert _purses(purse) == [(0, 0), (0, 0), (85_00, 0)]
    with pytest.raises(ReviewDecided):
        at_edge(approve_review)(checkout_id=key, by="user:bob", reason="again")


def test_a_no_gives_everything_back(purse: Purse) -> None:
    """W6, F-F13: money, bonus and points are where they were, the points in their grant."""
    accepted, key = _held(purse)
    at_edge(reject_review)(checkout_id=key, by="user:ann", reason="stolen")
    assert _status(purse, accepted) == "failed"
    assert _purses(purse) == [(10_00, 0), (500, 0), (100_00, 0)]
    assert Grant.objects.get(kind="points").used_minor == 0
    assert set(BalancePart.objects.values_list("paid", "released")) == {(False, True)}


def test_cancellation_gives_everything_back_and_another_attempt_may_follow(purse: Purse) -> None:
    """Released once, whoever asks how often; a second try of the same order has holds of its own."""
    accepted, _ = _held(purse)
    path = f"/v1/checkouts/{accepted['checkout_id']}/cancellations"
    for _ in range(2):
        assert purse.shop.store.post(path, {}, key=uuid.uuid4().hex).json()["status"] == "canceled"
    assert _purses(purse) == [(10_00, 0), (500, 0), (100_00, 0)]
    other, key = _held(purse)
    at_edge(reject_review)(checkout_id=key, by="user:ann", reason="not today")
    again = purse.shop.store.post(
        f"/v1/checkouts/{other['checkout_id']}/attempts",
        {"payment_method": "balance", "wallet_kinds": KINDS},
        key=uuid.uuid4().hex,
    )
    assert (again.status_code, again.json()["status"]) == (201, "in_review")
    at_edge(approve_review)(checkout_id=key, by="user:ann", reason="after all")
    assert _status(purse, other) == "succeeded"
    assert _purses(purse) == [(0, 0), (0, 0), (85_00, 0)]


def test_only_the_orders_own_end_ends_its_holds(purse: Purse) -> None:
    """W3: the sweep of overdue holds leaves them alone for a day; the checkout's expiry ends them."""
    accepted, _ = _held(purse)
    clock.move(seconds=24 * 3600 - 60)
    assert expire_holds() == 0 and _purses(purse)[2] == (85_00, 15_00)
    clock.move(seconds=120)
    assert expire_holds() == 0
    assert get_drain("expiry").run() == 1
    assert _status(purse, accepted) == "expired"
    assert _purses(purse) == [(10_00, 0), (500, 0), (100_00, 0)]


def test_what_is_held_cannot_be_spent_twice(purse: Purse) -> None:
    """W5: the second payment finds only what the first one left."""
    _held(purse, "110.00")
    refused = purse.shop.store.post(
        "/v1/payments", purse.body(purse.shop.order("5.01"), wallet_kinds=KINDS), key=uuid.uuid4().hex
    )
    assert error(refused) == (422, "insufficient_funds", None)


def test_yes_and_no_at_once_do_one_of_them(purse: Purse) -> None:
    """A-D2, A-D5: two people decide at the same moment; the money goes one way, whole."""
    for _ in range(3):
        accepted, key = _held(purse, "20.00")
        before = sum(available + held for available, held in (purse.left(kind) for kind in KINDS))
        race(
            [
                lambda key=key: at_edge(approve_review)(checkout_id=key, by="user:ann", reason="yes"),
                lambda key=key: at_edge(reject_review)(checkout_id=key, by="user:bob", reason="no"),
            ]
        )
        spent = before - sum(available + held for available, held in (purse.left(kind) for kind in KINDS))
        assert (_status(purse, accepted) == "succeeded") == (spent > 0)
        assert all(held == 0 for _, held in _purses(purse))


def test_what_risk_declines_holds_nothing(purse: Purse) -> None:
    """Decided before anything moves: declined is 201 with a failed order, whatever the balance."""
    enforce(purse.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="decline", reason="no")
    accepted = purse.shop.accept(purse.body(purse.shop.order("9999.00")))
    assert accepted["status"] == "failed"
    assert accepted["payment_orders"][0]["failure"]["code"] == "risk_declined"
    assert not BalancePart.objects.exists()
