"""Payments from a buyer's balance: tried, confirmed and released in the transactions of their orders."""

import uuid
from typing import Any

import pytest
from django.db import transaction

from core.audits import run_audits
from core.ids import public_id
from core.settings_store import put_setting
from payments.models import BalancePart, Charge, PaymentEvent
from payments.selectors import parts_of_order
from tests.payments.conftest import Shop, open_shop
from tests.payments.purses import Purse, open_purse
from tests.racing import race
from tests.stateful.effort import IS_CHAOS
from tests.store import error


@pytest.fixture
def purse(counter: Shop) -> Purse:
    """A buyer with a hundred dollars of cash at a counter without any provider."""
    return open_purse(counter, cash=100_00)


def _post(purse: Purse, body: dict[str, Any], key: str | None = None) -> Any:
    return purse.shop.store.post("/v1/payments", body, key=key or uuid.uuid4().hex)


def _seller_pending(purse: Purse, seller: str = "ann") -> str:
    wallets = purse.shop.store.get(f"/v1/sellers/{seller}/wallets").json()["data"]
    return str(wallets[0]["pending"]) if wallets else "0.00"


def test_two_sellers_are_paid_when_it_is_answered(purse: Purse) -> None:
    """W3 and W4: held and settled in the accept transaction, split as a capture; F-D13 has nothing to do."""
    body = purse.body()
    answer = _post(purse, body, key="once")
    checkout = answer.json()
    assert (answer.status_code, checkout["status"], checkout["is_payment_done"]) == (201, "succeeded", True)
    assert checkout["payment_method"] == "balance" and checkout["next_action"] is None
    assert [o["payment_order_status"] for o in checkout["payment_orders"]] == ["SUCCESS", "SUCCESS"]
    assert all(o["wallet_updated"] and o["ledger_updated"] for o in checkout["payment_orders"])
    assert checkout["payment_orders"][0]["psp"] == {"channel": None, "reference": None}
    assert purse.left() == (0, 0)
    assert (_seller_pending(purse), _seller_pending(purse, "bob")) == ("81.00", "10.00")
    assert not Charge.objects.exists()
    again = _post(purse, body, key="once")
    assert again.content == answer.content and again.headers["Idempotent-Replayed"] == "true"
    shown = purse.shop.store.get(f"/v1/payments/{body['payment_orders'][0]['payment_order_id']}").json()
    assert [(step["what"], step["to"]) for step in shown["timeline"]] == [
        ("payment_order", "NOT_STARTED"),
        ("payment_order", "EXECUTING"),
        ("hold.cash", "OPEN"),
        ("hold.cash", "SETTLED"),
        ("payment_order", "SUCCESS"),
    ]


@pytest.mark.parametrize("amount", ["100.01", "1000000.00"])
def test_too_little_stores_nothing(purse: Purse, amount: str) -> None:
    """W5: a balance never goes below zero; short is 422 and leaves no trace."""
    answer = _post(purse, purse.body(purse.shop.order(amount)))
    assert error(answer) == (422, "insufficient_funds", None)
    assert purse.left() == (100_00, 0)
    assert not PaymentEvent.objects.exists() and not BalancePart.objects.exists()


def test_whoever_has_no_wallet_pays_nothing(purse: Purse) -> None:
    """Of a stranger, in another currency, and without a name."""
    shop = purse.shop
    unknown = purse.body(shop.order("1.00")) | {"buyer_info": {"buyer_account": "nobody"}}
    assert error(_post(purse, unknown)) == (422, "insufficient_funds", None)
    other = purse.body(shop.order("1.00", currency="EUR"))
    assert error(_post(purse, other)) == (422, "insufficient_funds", None)
    nameless = purse.body(shop.order("1.00")) | {"buyer_info": {}}
    assert error(_post(purse, nameless)) == (422, "buyer_account_required", "buyer_info.buyer_account")
    manual = purse.body(shop.order("1.00"), capture="manual")
    assert error(_post(purse, manual)) == (422, "capture_unsupported", "capture")
    assert not PaymentEvent.objects.exists()


@pytest.mark.parametrize(
    ("kinds", "param"),
    [(["cash", "cash"], "wallet_kinds"), (["gold"], "wallet_kinds[0]"), ([], "wallet_kinds")],
)
def test_kinds_of_wallets(purse: Purse, kinds: list[str], param: str) -> None:
    """A closed list without repeats, of balance payments alone."""
    status, _, where = error(_post(purse, purse.body(purse.shop.order("1.00"), wallet_kinds=kinds)))
    assert status == 422 and where == param
    card = purse.shop.body(purse.shop.order("1.00"), wallet_kinds=["cash"])
    assert error(_post(purse, card)) == (422, "payment_method_conflict", "wallet_kinds")


def test_kinds_are_spent_in_their_order(purse: Purse) -> None:
    """W2b and W2c beside W4: bonus first, then points, then cash; the parts are on record for refunds."""
    purse.give("bonus", 3_00)
    purse.give("points", 250)
    body = purse.body(purse.shop.order("25.00"), wallet_kinds=["bonus", "points", "cash"])
    checkout = _post(purse, body).json()
    assert checkout["status"] == "succeeded"
    assert (purse.left("bonus"), purse.left("points"), purse.left()) == ((0, 0), (0, 0), (80_50, 0))
    assert _seller_pending(purse) == "22.50"
    part = BalancePart.objects.order_by("id")[0]
    found = parts_of_order(order_id=part.order_id)
    assert [(each.kind, each.amount_minor, each.units_minor) for each in found] == [
        ("bonus", 3_00, 3_00),
        ("points", 2_50, 250),
        ("cash", 19_50, 19_50),
    ]
    assert [
        sum(getattr(each, f"{name}_minor") for each in found) for name in ("seller_net", "commission")
    ] == [
        22_50,
        2_08,
    ]


def test_best_effort_pays_what_it_can(purse: Purse) -> None:
    """Orders that the balance covers are paid, in their order; the others fail and can be tried again."""
    shop = purse.shop
    orders = [shop.order("60.00"), shop.order("50.00", "bob"), shop.order("30.00", "bob")]
    checkout = _post(purse, purse.body(*orders, multi_order_policy="best_effort")).json()
    assert checkout["status"] == "partially_succeeded"
    assert [o["payment_order_status"] for o in checkout["payment_orders"]] == ["SUCCESS", "FAILED", "SUCCESS"]
    assert checkout["payment_orders"][1]["failure"]["code"] == "balance_too_low"
    assert purse.left() == (10_00, 0)
    purse.fill(40_00)
    path = f"/v1/checkouts/{checkout['checkout_id']}/attempts"
    again = shop.store.post(path, {"payment_method": "balance"}, key=uuid.uuid4().hex)
    assert (again.status_code, again.json()["status"]) == (201, "succeeded")
    assert again.json()["is_payment_done"] and purse.left() == (0, 0)
    nothing = _post(
        purse, purse.body(shop.order("1.00"), shop.order("2.00"), multi_order_policy="best_effort")
    )
    assert error(nothing) == (422, "insufficient_funds", None)


def test_it_can_be_switched_off(purse: Purse) -> None:
    """The setting of the merchant; the offer goes with it."""

    def offered() -> dict[str, Any]:
        data = purse.shop.store.get("/v1/payment_methods").json()["data"]
        return {each["payment_method"]: each["currencies"] for each in data}

    assert offered()["balance"] == ["USD"]
    with transaction.atomic():
        scope = public_id("mer", purse.merchant_id)
        put_setting(name="payments.balance", value=False, actor="user:test", reason="test", scope=scope)
    assert "balance" not in offered()
    refused = _post(purse, purse.body(purse.shop.order("1.00")))
    assert error(refused) == (422, "payment_method_unavailable", "payment_method")


def test_a_crash_before_the_commit_leaves_nothing(purse: Purse, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-A1: whatever breaks before the commit, nothing of it is there, and the same key pays once."""

    def broken(**_: Any) -> None:
        raise RuntimeError("the machine went away")

    body = purse.body(purse.shop.order("40.00"))
    with monkeypatch.context() as patch:
        patch.setattr("wallet.services.parts.post", broken)
        with pytest.raises(RuntimeError):
            _post(purse, body, key="same")
    assert purse.left() == (100_00, 0) and not PaymentEvent.objects.exists()
    assert _post(purse, body, key="same").status_code == 201
    assert purse.left() == (60_00, 0)


def test_many_attempts_pay_an_order_once_a_d4(transactional_db: None, settings: Any) -> None:
    """A-D4: many keys, one order that failed: one attempt pays it, the others are told so."""
    settings.INLINE_REGISTRATIONS = 0
    purse = open_purse(open_shop(None, "http://127.0.0.1:9"), cash=100_00)
    shop = purse.shop
    orders = [shop.order("10.00"), shop.order("95.00", "bob")]
    checkout = _post(purse, purse.body(*orders, multi_order_policy="best_effort")).json()
    assert checkout["status"] == "partially_succeeded"
    purse.fill(1000_00)
    path = f"/v1/checkouts/{checkout['checkout_id']}/attempts"
    clients = 30 if IS_CHAOS else 8

    def attempt() -> tuple[int, str]:
        answer = shop.store.post(path, {"payment_method": "balance"}, key=uuid.uuid4().hex)
        return answer.status_code, answer.json().get("error", {}).get("code", "")

    codes = race([attempt] * clients)
    assert sorted(set(codes)) == [(201, ""), (409, "order_already_paid")] and codes.count((201, "")) == 1
    assert purse.left() == (995_00, 0)
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
