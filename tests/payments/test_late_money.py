"""Money for what was closed, or is paid already: it goes back, is seen, and moves no order."""

import uuid
from typing import Any

import pytest
from django.db import IntegrityError

from core.ids import public_id
from core.models import Case
from core.settings_store import SettingInvalid, put_setting
from core.transactions import at_edge
from ledger.models import JournalEntry
from ledger.selectors import trial_balance
from payments.engine.late_money import LATE_MONEY
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process, told
from tests.payments.test_attempts import attempt, states
from tests.payments.test_cancellations import canceled
from tests.racing import race

CONFIRM, REFUND, LIST = "payment_intents.confirm", "refunds.create", "refunds.list"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5


def failed(shop: Shop, **other: Any) -> dict[str, Any]:
    return shop.pay(shop.body(token="pm_card_chargeDeclined", **other))


def pay_late(shop: Shop, charge: Charge) -> None:
    """The buyer pays the closed charge's payment after all: in the other tab, with the provider's script."""
    client = shop.provider.client(shop.account_key).v1
    client.payment_intents.confirm(charge.psp_reference, {"payment_method": "pm_card_visa"})


def tell_paid(shop: Shop, checkout_id: str, charge: Charge, times: int = 1) -> None:
    """Deliver the provider's event that this payment succeeded."""
    (event,) = [
        each
        for each in told(shop, checkout_id)
        if each["type"] == "payment_intent.succeeded" and each["data"]["object"]["id"] == charge.psp_reference
    ]
    for _ in range(times):
        assert deliver(shop, event, id=f"evt_{uuid.uuid4().hex}") == 200
    process()


def late(shop: Shop, seen: dict[str, Any], charge: Charge, times: int = 1) -> None:
    pay_late(shop, charge)
    tell_paid(shop, seen["checkout_id"], charge, times)


def refunds(shop: Shop) -> list[dict[str, Any]]:
    return shop.provider.get(f"journal?account={shop.account}&kind=refund.succeeded")


def balances(shop: Shop) -> dict[str, int]:
    rows = trial_balance(merchant_id=shop.store.merchant_id)
    return {row.role: row.balance_minor for row in rows if row.balance_minor}


def legs() -> list[str]:
    return list(JournalEntry.objects.order_by("id").values_list("leg", flat=True))


def accept_late(shop: Shop) -> None:
    at_edge(put_setting)(
        name=LATE_MONEY.name,
        value="accept",
        scope=public_id("mer", shop.store.merchant_id),
        actor="user:1",
        reason="our goods are always there",
    )


def assert_given_back(shop: Shop, charge: Charge) -> None:
    """One capture and one refund of it at the provider; the books are as if nothing had been, and tell it."""
    charge.refresh_from_db()
    assert (charge.status, charge.refunded_minor) == ("CAPTURED", charge.amount_minor)
    lines = ChargeLine.objects.filter(charge=charge)
    assert set(lines.values_list("live", "superseded")) == {(False, True)}
    refund = PspOperation.objects.get(charge=charge, kind="refund")
    assert refund.status == "SUCCEEDED"
    assert [row["amount"] for row in refunds(shop)] == [-charge.amount_minor]
    assert JournalEntry.objects.filter(source="refund", source_ref=str(refund.id)).count() == 2
    case = Case.objects.get(kind="late_money", subject=public_id("chg", charge.id))
    assert (case.value_minor, case.currency) == (charge.amount_minor, "USD")


def test_late_money_of_a_declined_charge_goes_back(shop: Shop) -> None:
    seen = failed(shop)
    charge = Charge.objects.get()
    late(shop, seen, charge)
    charge.refresh_from_db()
    assert (charge.status, legs()) == ("CAPTURED", ["overpayment", "accepted"])
    assert balances(shop) == {"psp_clearing": 10000, "refunds_in_transit": -10000}
    shop.work()
    assert_given_back(shop, charge)
    assert (legs()[2:], balances(shop)) == (["netted"], {})
    assert shop.checkout(seen["id"])["payment_orders"][0]["captured"] == "0.00"
    assert states(shop.checkout(seen["id"])) == ["FAILED", "FAILED"]
    order = shop.store.get(f"/v1/payments/{seen['payment_orders'][0]['id']}").json()
    tail = [(line["what"], line["to"], line["reason"]) for line in order["timeline"]][-4:]
    assert tail == [
        ("charge", "CAPTURED", "captured late"),
        ("operation.refund", "CREATED", "follows from the last step"),
        ("operation.refund", "SENT", "about to be sent"),
        ("operation.refund", "SUCCEEDED", "refunded"),
    ]


def test_the_same_charge_late_twice_goes_back_once(shop: Shop) -> None:
    seen = failed(shop)
    charge = Charge.objects.get()
    late(shop, seen, charge, times=3)
    shop.work()
    tell_paid(shop, seen["checkout_id"], charge, times=2)
    shop.work()
    assert_given_back(shop, charge)
    assert Case.objects.count() == 1


@pytest.mark.parametrize("first", ["old", "new"])
def test_two_tabs_pay_one_order_f_a18(shop: Shop, first: str) -> None:
    """Two payments of one checkout succeed, told in either order: one stays, the other goes back."""
    seen = failed(shop)
    old = Charge.objects.get()
    assert attempt(shop, seen["id"], {"credit_card_info": {"token": "pm_card_visa"}}).status_code == 201
    shop.arm("empty_500", operation=CONFIRM, effect=True)
    shop.work()
    new = Charge.objects.exclude(id=old.id).get()
    assert new.status == "UNKNOWN"
    pay_late(shop, old)
    assert len(shop.captures()) == 2, "the buyer paid twice"
    for each in (old, new) if first == "old" else (new, old):
        tell_paid(shop, seen["checkout_id"], each, times=2)
    shop.work()
    paid = shop.checkout(seen["id"])
    assert (paid["status"], paid["is_payment_done"]) == ("succeeded", True)
    assert_given_back(shop, old)
    assert ChargeLine.objects.filter(live=True, charge=new).count() == 2
    assert sum(row["amount"] for row in (*shop.captures(), *refunds(shop))) == 10000
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"SUCCESS"}


@pytest.mark.parametrize("end", ["declined", "canceled"])
def test_late_while_a_new_attempt_lives_that_then_ends(shop: Shop, end: str) -> None:
    accept_late(shop)  # Also by this policy: something else may still pay.
    seen = failed(shop)
    old = Charge.objects.get()
    attempt(shop, seen["id"], {"credit_card_info": {"token": "pm_card_threeDSecure2Required"}})
    shop.work()
    late(shop, seen, old)
    shop.work()
    assert_given_back(shop, old)
    assert states(shop.checkout(seen["id"])) == ["REQUIRES_ACTION"] * 2
    if end == "canceled":
        canceled(shop, seen["id"])
        shop.work()
        assert states(shop.checkout(seen["id"])) == ["CANCELED"] * 2
    else:
        new = Charge.objects.exclude(id=old.id).get()
        path = f"payment_intents/{new.psp_reference}/authentication"
        shop.provider.control("POST", path, {"result": "fail"})
        shop.later(10)
        assert states(shop.checkout(seen["id"])) == ["FAILED"] * 2
    assert balances(shop) == {}


def test_two_old_attempts_come_late(shop: Shop) -> None:
    seen = failed(shop)
    attempt(shop, seen["id"], {"credit_card_info": {"token": "pm_card_chargeDeclined"}})
    shop.work()
    attempt(shop, seen["id"])
    shop.work()
    first, second, third = Charge.objects.order_by("id")
    for each in (second, first):
        late(shop, seen, each)
    shop.work()
    assert len(refunds(shop)) == 2
    assert {each.refunded_minor for each in Charge.objects.exclude(id=third.id)} == {10000}
    assert (third.status, shop.checkout(seen["id"])["status"]) == ("CAPTURED", "succeeded")
    assert balances(shop)["psp_clearing"] == 10000


def test_a_merchant_may_take_late_money(shop: Shop) -> None:
    accept_late(shop)
    seen = failed(shop)
    charge = Charge.objects.get()
    late(shop, seen, charge, times=2)
    shop.work()
    paid = shop.checkout(seen["id"])
    assert (paid["status"], paid["is_payment_done"]) == ("succeeded", True)
    assert [order["failure"] for order in paid["payment_orders"]] == [None, None]
    charge.refresh_from_db()
    assert (charge.status, charge.failure, legs()) == ("CAPTURED", None, ["capture"])
    assert set(ChargeLine.objects.values_list("live", "superseded")) == {(True, False)}
    assert not PspOperation.objects.filter(kind="refund").exists()
    assert not Case.objects.exists()


def test_the_policy_is_the_merchants_own(shop: Shop) -> None:
    from tests.payments.conftest import open_shop

    accept_late(open_shop(shop.provider, shop.provider.url))
    seen = failed(shop)
    late(shop, seen, Charge.objects.get())
    shop.work()
    assert states(shop.checkout(seen["id"])) == ["FAILED", "FAILED"]
    with pytest.raises(SettingInvalid):
        at_edge(put_setting)(name=LATE_MONEY.name, value="keep", actor="user:1", reason="why not")


def test_late_money_of_what_was_given_up(shop: Shop, settings: Any) -> None:
    """We gave up sending and canceled; the payment that was registered is paid all the same."""
    settings.PSP_BREAKER_FAILURES = 1000
    shop.arm("http_429", operation=CONFIRM, times=None)
    seen = shop.pay()
    for _ in range(5):
        shop.later(200)
    charge = Charge.objects.get()
    assert charge.status == "CANCELED"
    shop.cure()
    late(shop, seen, charge)
    shop.work()
    assert_given_back(shop, charge)


def test_a_refund_that_the_provider_refuses_is_for_people(shop: Shop) -> None:
    """The event tells of money that the provider will not give back."""
    seen = failed(shop)
    charge = Charge.objects.get()
    event = told(shop, seen["checkout_id"])[-1]
    intent = {**event["data"]["object"], "status": "succeeded", "amount_received": 10000}
    told_late = {**event, "id": "evt_x", "type": "payment_intent.succeeded", "data": {"object": intent}}
    assert deliver(shop, told_late) == 200
    process()
    shop.work()
    assert PspOperation.objects.get(kind="refund").status == "DECLINED"
    assert sorted(Case.objects.values_list("kind", flat=True)) == ["late_money", "refund_failed"]
    assert balances(shop) == {"psp_clearing": 10000, "customer_overpayment": -10000}
    charge.refresh_from_db()
    assert (charge.status, charge.refunded_minor) == ("CAPTURED", 0)
    assert states(shop.checkout(seen["id"])) == ["FAILED", "FAILED"]


@pytest.mark.parametrize("change", [{"amount": 1, "amount_received": 1}, {"currency": "eur"}])
def test_late_money_that_is_not_ours_is_a_case_a_b10(shop: Shop, change: dict[str, Any]) -> None:
    seen = failed(shop)
    event = told(shop, seen["checkout_id"])[-1]
    intent = {**event["data"]["object"], "status": "succeeded", "amount_received": 10000, **change}
    forged = {**event, "id": "evt_x", "type": "payment_intent.succeeded", "data": {"object": intent}}
    assert deliver(shop, forged) == 200
    process()
    assert (Charge.objects.get().status, Case.objects.get().kind) == ("DECLINED", "charge_conflict")
    assert legs() == []


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize(
    "kind", ["connection_reset_after_body", "http_503", "broken_json", "empty_500", "not_charged_timeout"]
)
def test_silence_about_a_refund_ends_in_one_refund(shop: Shop, kind: str, effect: bool) -> None:
    if kind == "not_charged_timeout" and effect:
        kind = "charged_but_timeout"
    seen = failed(shop)
    charge = Charge.objects.get()
    timed = kind.endswith("timeout")
    shop.arm(kind, operation=REFUND, **({} if timed else {"effect": effect}))
    late(shop, seen, charge)
    shop.work()
    assert PspOperation.objects.get(kind="refund").status == "UNKNOWN"
    shop.later(3)
    assert_given_back(shop, charge)
    assert len({each["idempotency_key"] for each in shop.requests(REFUND)}) == 1
    assert len(shop.requests(LIST)) == 1


def test_a_refund_older_than_the_providers_memory_is_searched_for(shop: Shop) -> None:
    """It is never sent again: had it been made, it would be made twice."""
    seen = failed(shop)
    charge = Charge.objects.get()
    shop.arm("not_charged_timeout", operation=REFUND)
    shop.arm("http_503", operation=LIST, times=None)
    late(shop, seen, charge)
    shop.work()
    shop.later(25 * 3600)
    assert PspOperation.objects.get(kind="refund").status == "UNKNOWN"
    shop.cure()
    shop.later(3600)
    assert (PspOperation.objects.get(kind="refund").status, len(shop.requests(REFUND))) == ("UNKNOWN", 1)
    name = public_id("op", PspOperation.objects.get(kind="refund").id)
    params = {"payment_intent": charge.psp_reference, "metadata": {"refund_id": name}}
    shop.provider.client(shop.account_key).v1.refunds.create(params)
    shop.later(3600)
    assert_given_back(shop, charge)


@pytest.mark.parametrize("place", ["before_intent", "after_intent", "after_effect", "before_commit"])
def test_a_worker_that_breaks_refunds_once_f_a2_f_a3(shop: Shop, owner_sql: Any, place: str) -> None:
    from core.failpoints import arm, fired

    seen = failed(shop)
    charge = Charge.objects.get()
    late(shop, seen, charge)
    arm(f"execute.{place}.refund", "raise")
    shop.work()
    assert fired(f"execute.{place}.refund")
    for _ in range(3):
        owner_sql("UPDATE payments_pspoperation SET leased_until = NULL WHERE due_at IS NOT NULL")
        shop.later(31)
    assert_given_back(shop, charge)


def test_a_refund_is_sent_when_the_provider_is_back(shop: Shop, settings: Any) -> None:
    settings.PSP_BREAKER_FAILURES = 1000
    seen = failed(shop)
    charge = Charge.objects.get()
    shop.arm("http_429", operation=REFUND, times=None)
    late(shop, seen, charge)
    for _ in range(6):
        shop.later(600)
    assert PspOperation.objects.get(kind="refund").status == "NOT_SENT", "never given up"
    shop.cure()
    shop.later(60)
    assert_given_back(shop, charge)


def test_the_late_event_and_the_new_attempt_at_once(shop: Shop) -> None:
    for _ in range(4):
        seen = failed(shop)
        old = Charge.objects.get(checkout__checkout_id=seen["checkout_id"])
        pay_late(shop, old)
        answers = race(
            [
                lambda seen=seen, old=old: tell_paid(shop, seen["checkout_id"], old),
                lambda seen=seen: attempt(shop, seen["id"]),
            ]
        )
        assert answers[1].status_code == 201
        shop.work()
        paid = shop.checkout(seen["id"])
        assert paid["status"] == "succeeded"
        old.refresh_from_db()
        assert (old.status, old.refunded_minor) == ("CAPTURED", 10000)
    assert sum(row["amount"] for row in (*shop.captures(), *refunds(shop))) == 4 * 10000


def test_the_books_refuse_more_back_than_was_taken_i12(shop: Shop) -> None:
    shop.pay()
    with pytest.raises(IntegrityError, match="never_returns_more"):
        at_edge(Charge.objects.all().update)(refunded_minor=10001)
