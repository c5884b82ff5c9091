"""Refunds of what a balance paid: each kind comes back as what it was, and every part closes to zero."""

import uuid
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from core.approvals import at_decision_edge
from core.models import Approval, OutboxEvent
from core.settings_store import put_setting
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.engine.refunds.shares import RETURNS_COMMISSION
from payments.models import PaymentEvent, Refund, RefundPart
from payments.services import approve_refund, ask_for_refund, cancel_refund, reject_refund
from payments.types import RefundRequest
from tests.payments.conftest import Shop
from tests.payments.purses import Purse, open_purse
from tests.payments.refunding import ask, balances, moved, refunds_of, state
from tests.store import error
from wallet.models import Grant

KINDS = ["bonus", "points", "cash"]


@pytest.fixture
def purse(counter: Shop) -> Purse:
    """A buyer with a hundred dollars of cash, ten of bonus, and a thousand points worth ten dollars."""
    purse = open_purse(counter, cash=100_00)
    purse.give("bonus", 10_00)
    purse.give("points", 1000)
    return purse


def paid(purse: Purse, amount: str = "40.00", kinds: list[str] | None = None) -> dict[str, Any]:
    """An order that the balance paid: its object."""
    checkout = purse.shop.accept(purse.body(purse.shop.order(amount), wallet_kinds=kinds or KINDS))
    assert checkout["status"] == "succeeded"
    order: dict[str, Any] = checkout["payment_orders"][0]
    return order


def left(purse: Purse) -> tuple[int, int, int]:
    """What is available of bonus, points and cash."""
    return purse.left("bonus")[0], purse.left("points")[0], purse.left()[0]


def kinds_of() -> list[str]:
    return list(JournalEntry.objects.filter(source="refund").order_by("id").values_list("kind", flat=True))


def test_cash_goes_back_to_the_wallet_that_paid_w7(purse: Purse) -> None:
    """W7: done in the request's transaction; nothing leaves to a provider."""
    order = paid(purse, kinds=["cash"])
    before = balances(purse.shop)
    made = ask(purse.shop, order, "25.00", reason="too small")
    seen = made.json()
    assert (made.status_code, seen["status"], seen["destination"]) == (201, "SUCCESS", "balance")
    assert [(each["kind"], each["amount"], each["currency"], each["worth"]) for each in seen["wallets"]] == [
        ("cash", "25.00", "USD", "25.00")
    ]
    assert (kinds_of(), state(purse.shop, order)) == (["refund_to_wallet"], ("25.00", "0.00"))
    assert moved(before, balances(purse.shop)) == {
        "wallet_available": -25_00,
        "seller_pending": 22_50,
        "commission_refunded": 2_08,
        "tax_payable": 42,
    }
    told = OutboxEvent.objects.filter(type__startswith="refund.").order_by("id")
    assert list(told.values_list("type", flat=True)) == ["refund.created", "refund.succeeded"]
    assert told[1].payload["object"] == seen
    assert purse.shop.store.get(f"/v1/refunds/{seen['id']}").json() == seen
    assert error(ask(purse.shop, order, "15.01"))[:2] == (422, "refund_exceeds_captured")


def test_each_kind_comes_back_pro_rata_as_what_it_was(purse: Purse) -> None:
    """W7b, W7c: 10 of bonus, 10 in points and 20 of cash: half goes back as 5, 500 points and 10."""
    order = paid(purse)
    assert left(purse) == (0, 0, 80_00)
    before = balances(purse.shop)
    ask(purse.shop, order, "20.00")
    assert left(purse) == (5_00, 500, 90_00)
    assert moved(before, balances(purse.shop)) == {
        "bonus_available": -5_00,
        "points_available": -500,
        "wallet_available": -10_00,
        "seller_pending": 18_00,
        "commission_refunded": 1_67,
        "tax_payable": 33,
    }
    grant = Grant.objects.get(kind="points")
    assert (grant.used_minor, grant.used_value_minor) == (500, 5_00)
    ask(purse.shop, order)
    assert left(purse) == (10_00, 1000, 100_00)
    grant.refresh_from_db()
    assert (grant.used_minor, grant.used_value_minor) == (0, 0)
    assert kinds_of() == ["refund_to_balance"] * 2
    assert (state(purse.shop, order), PaymentEvent.objects.get().compensated_at is not None) == (
        ("40.00", "0.00"),
        True,
    )
    (rest, half) = refunds_of(purse.shop, order)
    assert [(each["kind"], each["amount"], each["worth"]) for each in half["wallets"]] == [
        ("bonus", "5.00", "5.00"),
        ("points", "500", "5.00"),
        ("cash", "10.00", "10.00"),
    ]
    assert rest["destination"] == "balance"


@pytest.mark.parametrize("destination", ["instrument", "wallet"])
def test_bonus_and_points_never_become_cash_a_h4(purse: Purse, destination: str) -> None:
    """A-H4: whatever destination is asked for, the wallets that paid get it, each its own kind."""
    order = paid(purse, "20.00", ["bonus", "points"])
    assert ask(purse.shop, order, destination=destination).json()["destination"] == "balance"
    assert left(purse) == (10_00, 1000, 100_00)


def test_returned_points_pay_again_and_come_back_again(purse: Purse) -> None:
    """The grant's position returns to what it was, whatever was done with the points meanwhile."""
    first = paid(purse, "7.77", ["points"])
    ask(purse.shop, first, "3.33")
    second = paid(purse, "5.55", ["points"])
    ask(purse.shop, first)
    assert (purse.left("points"), error(ask(purse.shop, first))[1]) == ((445, 0), "refund_exceeds_captured")
    third = paid(purse, "4.45", ["points"])
    assert purse.left("points") == (0, 0)
    for order in (second, third):
        ask(purse.shop, order)
    assert purse.left("points") == (1000, 0)
    # The audits after the test compare the positions of each grant with what is left of it.
    grant = Grant.objects.get(kind="points")
    assert (grant.used_minor, grant.used_value_minor) == (0, 0)


def test_points_worth_more_than_a_cent_come_back_whole(counter: Shop) -> None:
    """A point worth 30 cents: what is not a whole point waits, and cash gives it as far as it can."""
    purse = open_purse(counter, cash=10_00, rate=30_00)
    purse.give("points", 10)
    order = paid(purse, "4.00", ["points", "cash"])
    assert (purse.left("points"), purse.left()) == ((0, 0), (9_00, 0))
    # 0.75 of 1.00 are points by the rule, which is two and a half of them: two, and cash gives the rest.
    ask(counter, order, "1.00")
    assert (purse.left("points"), purse.left()) == ((2, 0), (9_40, 0))
    # Cash has 0.60 left of its 1.00, which is enough for what is not a point.
    ask(counter, order, "2.00")
    assert purse.left("points")[0] * 30 + purse.left()[0] == 12_00
    ask(counter, order)
    assert (purse.left("points"), purse.left()) == ((10, 0), (10_00, 0))
    only_points = paid(purse, "3.00", ["points"])
    refused = ask(counter, only_points, "1.00")
    assert error(refused) == (422, "refund_not_in_whole_points", "amount")
    assert ask(counter, only_points, "0.90").status_code == 201
    assert purse.left("points") == (3, 0)
    ask(counter, only_points)
    assert (purse.left("points"), purse.left()) == ((10, 0), (10_00, 0))


def test_the_marketplace_keeps_its_commission_r5(purse: Purse) -> None:
    """R5: the same policy as for cards; the wallets get the same."""
    with transaction.atomic():
        put_setting(name=RETURNS_COMMISSION.name, value=False, actor="user:t", reason="test")
    order = paid(purse)
    before = balances(purse.shop)
    ask(purse.shop, order, "40.00")
    change = moved(before, balances(purse.shop))
    assert "commission_refunded" not in change and "tax_payable" not in change
    assert change["seller_pending"] + change.get("seller_receivable", 0) == 40_00
    assert left(purse) == (10_00, 1000, 100_00)


def _request(order: dict[str, Any], amount: str = "") -> RefundRequest:
    return RefundRequest(payment_order_id=order["payment_order_id"], amount=amount)


@pytest.fixture
def held(purse: Purse) -> tuple[Purse, dict[str, Any], Refund]:
    """An order of 40.00 of which finance wants 20.00 back, which takes two people."""
    with transaction.atomic():
        put_setting(name="payments.refund_review_above", value={"*": 10_00}, actor="user:t", reason="test")
    order = paid(purse)
    refund = at_edge(ask_for_refund)(
        merchant_id=purse.merchant_id, request=_request(order, "20.00"), reason="a complaint", maker="user:1"
    )
    assert refund.status == "IN_REVIEW"
    return purse, order, refund


def test_two_people_give_a_large_one_back(held: tuple[Purse, dict[str, Any], Refund]) -> None:
    """Reserved at once, given with the yes; what the second person agrees to says which wallets get what."""
    purse, order, refund = held
    assert (left(purse), state(purse.shop, order)) == ((0, 0, 80_00), ("0.00", "20.00"))
    # Meanwhile the store refunds the rest: both together are exactly the order.
    assert ask(purse.shop, order).json()["amount"] == "20.00"
    approval = Approval.objects.get(status="PENDING")
    assert sum(approval.instruction["wallets"].values()) == 5_00 + 500 + 10_00
    at_decision_edge(approve_refund)(approval_id=approval.pk, checker="user:2")
    refund.refresh_from_db()
    assert (refund.status, left(purse)) == ("SUCCESS", (10_00, 1000, 100_00))


@pytest.mark.parametrize("how", ["reject", "cancel"])
def test_a_no_leaves_everything_as_it_was(held: tuple[Purse, dict[str, Any], Refund], how: str) -> None:
    """Nothing was given, so nothing is taken back; later refunds close every part all the same."""
    purse, order, refund = held
    ask(purse.shop, order, "7.01")
    if how == "reject":
        approval = Approval.objects.get(status="PENDING")
        at_decision_edge(reject_refund)(approval_id=approval.pk, checker="user:2", reason="no")
    else:
        at_edge(cancel_refund)(refund_id=refund.id, by="user:1", reason="a mistake")
    assert state(purse.shop, order) == ("7.01", "0.00")
    for amount in ("11.11", "0.01", None):
        assert ask(purse.shop, order, amount).status_code == 201
    assert left(purse) == (10_00, 1000, 100_00)


def test_a_crash_before_the_commit_leaves_nothing(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-A1: whatever breaks before the commit, no wallet, grant or row has anything of it."""
    order = paid(purse)

    def broken(**_: Any) -> None:
        raise RuntimeError("the machine went away")

    with monkeypatch.context() as patch:
        patch.setattr("payments.engine.refunds.books.post_netted", broken)
        with pytest.raises(RuntimeError):
            ask(purse.shop, order)
    assert (left(purse), Refund.objects.count(), RefundPart.objects.count()) == ((0, 0, 80_00), 0, 0)
    assert Grant.objects.get(kind="points").used_minor == 1000


def test_a_list_asks_once_for_all_wallets(purse: Purse) -> None:
    """However many refunds a page shows."""
    order = paid(purse)

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            refunds_of(purse.shop, order)
        return len(queries)

    ask(purse.shop, order, "1.00")
    refunds_of(purse.shop, order)
    one = asked()
    for _ in range(3):
        ask(purse.shop, order, "1.00")
    assert asked() == one


def test_a_key_repeats_the_answer(purse: Purse) -> None:
    """F-B1: the same key gives back once."""
    order = paid(purse)
    body = {"payment_order_id": order["payment_order_id"], "amount": "30.00"}
    first, again = (purse.shop.store.post("/v1/refunds", body, key=f"k-{order['id']}") for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert (
        error(purse.shop.store.post("/v1/refunds", body, key=uuid.uuid4().hex))[1]
        == "refund_exceeds_captured"
    )
