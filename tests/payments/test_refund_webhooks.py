"""What providers tell of refunds: before the answer, twice, in any order, days later, of others' refunds."""

import itertools
from typing import Any

import pytest

from core.drain import get_drain
from core.ids import public_id
from core.models import Case, StatusChange
from events.models import InboxWork
from ledger.models import JournalEntry
from payments.models import Charge, PaymentEvent, PaymentOrder, PspOperation, Refund, RefundLine
from tests.payments.conftest import Shop
from tests.payments.refunding import (
    ask,
    balances,
    intent_of,
    moved,
    paid,
    refunded_there,
    refunds_of,
    state,
    tell,
    told_refunds,
)
from tests.payments.test_late_money import late

CREATE = "refunds.create"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def dashboard(shop: Shop, order: dict[str, Any], amount: int | None = None) -> dict[str, Any]:
    """Somebody refunds what paid an order on the provider's dashboard."""
    body = {} if amount is None else {"amount": amount}
    made: dict[str, Any] = shop.provider.control("POST", f"payment_intents/{intent_of(order)}/refund", body)
    return made


def kinds() -> set[str]:
    return set(Case.objects.values_list("kind", flat=True))


def test_the_webhook_comes_before_the_answer_f_g2(shop: Shop) -> None:
    """F-G2: the answer is lost and the webhooks tell it, three times each: one refund, one entry of each."""
    order = paid(shop)
    shop.arm("charged_but_timeout", operation=CREATE, seconds=2)
    ask(shop, order, "40.00")
    shop.work()
    assert Refund.objects.get().status == "UNKNOWN"
    tell(shop, *told_refunds(shop), times=3)
    refund = Refund.objects.get()
    assert (refund.status, refund.psp_reference is not None) == ("SUCCESS", True)
    shop.later(60)
    assert (PspOperation.objects.filter(kind="refund").count(), len(shop.requests(CREATE))) == (1, 1)
    entries = JournalEntry.objects.filter(source="refund").order_by("id")
    assert list(entries.values_list("leg", flat=True)) == ["accepted", "netted"]
    assert state(shop, order) == ("40.00", "0.00")


def test_it_fails_days_later_f_g3(shop: Shop) -> None:
    """F-G3, F-A14: it comes back after a day: R3, amounts restored, the checkout paid again, a case."""
    order = paid(shop, token="pm_card_refundFail", buyer_info={"buyer_account": "ben"})
    before = balances(shop)
    ask(shop, order)
    shop.work()
    assert PaymentEvent.objects.get().compensated_at is not None
    succeeded = told_refunds(shop)
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    tell(shop, *told_refunds(shop, "refund.failed", "charge.refund.updated"), times=2)
    tell(shop, *succeeded)  # Older ones, late: they change nothing.
    refund = Refund.objects.get()
    assert (refund.status, refund.failure["code"]) == ("FAILED", "refund_failed")
    checkout = PaymentEvent.objects.get()
    assert (checkout.compensated_at, checkout.is_payment_done) == (None, True)
    assert (state(shop, order), Charge.objects.get().refunded_minor) == (("0.00", "0.00"), 0)
    # It is the seller's to spend now, because it never becomes pending again.
    assert moved(before, balances(shop)) == {"seller_available": -90_00, "seller_pending": 90_00}
    assert "refund_failed" in kinds()
    history = StatusChange.objects.filter(subject_id=refund.id).order_by("id")
    assert list(history.values_list("to_state", flat=True)) == ["REQUESTED", "EXECUTING", "SUCCESS", "FAILED"]
    # The remainder can be refunded again: to the wallet, because the card cannot take it.
    assert ask(shop, order, destination="wallet").json()["status"] == "SUCCESS"
    assert refunded_there(shop) == 0


def test_made_on_the_dashboard_is_adopted(shop: Shop) -> None:
    """A refund without us: the same rows and entries, actor psp, and a case to see it."""
    order = paid(shop)
    made = dashboard(shop, order, 30_00)
    tell(shop, *told_refunds(shop), times=2)
    (seen,) = refunds_of(shop, order)
    assert (seen["amount"], seen["status"]) == ("30.00", "SUCCESS")
    refund = Refund.objects.get()
    assert (refund.origin, refund.psp_reference) == ("psp", made["id"])
    actors = StatusChange.objects.filter(subject_id=refund.id).values_list("actor", flat=True)
    assert set(actors) == {"psp"}
    assert kinds() == {"refund_made_elsewhere"}
    assert ask(shop, order, "70.01").status_code == 422
    assert ask(shop, order).json()["amount"] == "70.00"
    shop.work()
    assert (state(shop, order), refunded_there(shop)) == (("100.00", "0.00"), 100_00)


@pytest.mark.parametrize("first", range(6))
def test_any_order_of_events_ends_the_same_f_c4(shop: Shop, first: int) -> None:
    """F-C4: created, its charge's, failed, updated: told in any order they end as FAILED, nothing moved."""
    order = paid(shop, token="pm_card_refundFail")
    before = balances(shop)
    dashboard(shop, order, 30_00)
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    events = told_refunds(shop)
    by_type = {event["type"]: event for event in events}
    assert len(by_type) == 5
    orders = list(itertools.permutations(by_type.values()))
    tell(shop, *orders[first * len(orders) // 6 + first])
    get_drain("inbox").run()
    assert [each["status"] for each in refunds_of(shop, order)] == ["FAILED"]
    assert (state(shop, order), Charge.objects.get().refunded_minor) == (("0.00", "0.00"), 0)
    assert moved(before, balances(shop)) == {"seller_available": -27_00, "seller_pending": 27_00}


def test_of_several_orders_it_is_divided_pro_rata(shop: Shop) -> None:
    """One charge over two orders: each gives pro rata to what is left of it, to the last unit."""
    checkout = shop.pay(shop.body(shop.order("90.00"), shop.order("10.00", "bob")))
    first, second = checkout["payment_orders"]
    ask(shop, first, "60.00")
    shop.work()
    dashboard(shop, first, 10_01)
    tell(shop, *told_refunds(shop))
    refund = Refund.objects.get(origin="psp")
    lines = RefundLine.objects.filter(refund=refund).order_by("order__position")
    assert list(lines.values_list("amount_minor", flat=True)) == [7_51, 2_50]
    seen = shop.store.get(f"/v1/refunds/{public_id('re', refund.id)}").json()
    assert (seen["payment_order_id"], seen["amount"]) == (None, "10.01")
    assert (state(shop, first), state(shop, second)) == (("67.51", "0.00"), ("2.50", "0.00"))


def test_more_goes_back_than_was_left(shop: Shop) -> None:
    """A dashboard's refund beside ours on its way: counted as excess with a case, until ours fails."""
    order = paid(shop)
    shop.arm("not_charged_timeout", operation=CREATE, seconds=2)
    ask(shop, order, "60.00")
    shop.work()
    dashboard(shop, order, 60_00)
    tell(shop, *told_refunds(shop))
    row = PaymentOrder.objects.get()
    assert (row.refund_reserved_minor, row.excess_returned_minor) == (120_00, 20_00)
    assert "refund_dispute_overlap" in kinds()
    for _ in range(6):
        shop.later(60)
    row.refresh_from_db()
    assert (row.refund_reserved_minor, row.refunded_minor, row.excess_returned_minor) == (60_00, 60_00, 0)
    assert sorted(each["status"] for each in refunds_of(shop, order)) == ["FAILED", "SUCCESS"]
    assert refunded_there(shop) == 60_00


def test_a_release_is_no_refund_f_g9(shop: Shop) -> None:
    """F-G9: a voided authorisation shows as a refunded charge that was never captured: nothing is posted."""
    order = paid(shop)
    dashboard(shop, order, 10_00)
    recorded = told_refunds(shop, "charge.refunded")[0]
    charge = recorded["data"]["object"]
    charge |= {"captured": False, "amount_captured": 0, "refunded": True, "amount_refunded": charge["amount"]}
    tell(shop, recorded)
    assert (Refund.objects.count(), kinds()) == (0, set())
    # The same as a refund object, of a charge of ours that was closed without money.
    failed = shop.pay(shop.body(shop.order("50.00"), token="pm_card_chargeDeclined"))
    closed = Charge.objects.get(
        lines__order__payment_order_id=failed["payment_orders"][0]["payment_order_id"]
    )
    event = told_refunds(shop, "refund.created")[0]
    event["data"]["object"] |= {"payment_intent": closed.psp_reference, "balance_transaction": None}
    tell(shop, event)
    assert Refund.objects.count() == 0
    assert set(InboxWork.objects.values_list("status", flat=True)) == {"DONE"}


def test_told_before_the_capture_is_known_it_waits(shop: Shop) -> None:
    """F-C1: the payment's own answer is lost, and it is refunded on the dashboard: parked, then adopted."""
    shop.arm("charged_but_timeout", operation="payment_intents.confirm", seconds=2)
    checkout = shop.pay(shop.body(shop.order("100.00")))
    order = checkout["payment_orders"][0]
    assert order["payment_order_status"] == "EXECUTING"
    dashboard(shop, order, 30_00)
    tell(shop, *told_refunds(shop))
    assert Refund.objects.count() == 0
    for _ in range(3):
        shop.later(60)
    get_drain("inbox").run()
    assert [(each["amount"], each["status"]) for each in refunds_of(shop, order)] == [("30.00", "SUCCESS")]


def test_a_pending_refund_of_others_is_asked_about(shop: Shop) -> None:
    """It is not in our name, so it is asked about by the provider's; its end comes without a webhook."""
    order = paid(shop, token="pm_card_pendingRefund")
    dashboard(shop, order, 30_00)
    tell(shop, *told_refunds(shop, "refund.created"))
    assert [each["status"] for each in refunds_of(shop, order)] == ["PENDING"]
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    shop.later(3600)
    assert [each["status"] for each in refunds_of(shop, order)] == ["SUCCESS"]
    assert shop.requests(CREATE) == []


@pytest.mark.parametrize(
    ("token", "end"), [("pendingRefund", "SUCCESS"), ("sandboxRefundPendingFails", "FAILED")]
)
def test_a_pending_refund_ends_by_webhook(shop: Shop, token: str, end: str) -> None:
    """The provider tells it by itself a day later; told twice it counts once."""
    order = paid(shop, token=f"pm_card_{token}")
    ask(shop, order, "30.00")
    shop.work()
    tell(shop, *told_refunds(shop))
    assert [each["status"] for each in refunds_of(shop, order)] == ["PENDING"]
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    tell(shop, *told_refunds(shop), times=2)
    assert [each["status"] for each in refunds_of(shop, order)] == [end]
    assert state(shop, order) == (("30.00", "0.00") if end == "SUCCESS" else ("0.00", "0.00"))


def test_late_money_given_back_is_no_refund_of_an_order(shop: Shop) -> None:
    """Its events find its operation: nothing is adopted; one that comes back is a case for a person."""
    seen = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    charge = Charge.objects.get()
    late(shop, seen, charge)
    shop.work()
    tell(shop, *told_refunds(shop), times=2)
    assert (Refund.objects.count(), "refund_failed" in kinds()) == (0, False)
    made = told_refunds(shop, "refund.created")[0]["data"]["object"]["id"]
    shop.provider.control("POST", f"refunds/{made}/fail", {})
    tell(shop, *told_refunds(shop, "refund.failed"), times=2)
    assert (Refund.objects.count(), "refund_failed" in kinds()) == (0, True)


def test_another_amount_is_a_conflict(shop: Shop) -> None:
    """Authentic is not valid: a refund in our name of another amount posts nothing; people look at it."""
    order = paid(shop)
    shop.arm("charged_but_timeout", operation=CREATE, seconds=2)
    ask(shop, order, "40.00")
    shop.work()
    event = told_refunds(shop, "refund.created")[0]
    event["data"]["object"]["amount"] = 41_00
    tell(shop, event)
    assert (Refund.objects.get().status, PspOperation.objects.get(kind="refund").status) == (
        "UNKNOWN",
        "CONFLICTED",
    )
    assert "charge_conflict" in kinds()
    assert state(shop, order) == ("0.00", "40.00")
