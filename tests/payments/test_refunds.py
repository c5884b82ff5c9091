"""Refunds from the store's request to the books, and everything that a store can ask wrongly."""

import uuid
from typing import Any

import pytest
from django.db import transaction

from core.ids import public_id
from core.models import Case, OutboxEvent
from core.settings_store import put_setting
from core.transactions import at_edge
from ledger.models import JournalEntry
from ledger.services import open_account
from ledger.templates.entry import credit
from payments.engine.refunds.shares import RETURNS_COMMISSION
from payments.models import PaymentEvent, PaymentOrder, Refund
from tests.payments.conftest import Shop, open_shop
from tests.payments.later import authorized, capture
from tests.payments.refunding import (
    ask,
    balances,
    moved,
    paid,
    refunded_there,
    refunds_of,
    seller_wallet,
    state,
    tell,
    told_refunds,
)
from tests.payments.test_cover import release
from tests.store import error
from wallet.selectors import wallets_of
from wallet.services import confirm_hold, try_hold

CREATE = "refunds.create"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def legs() -> list[str]:
    entries = JournalEntry.objects.filter(source="refund").order_by("id")
    return list(entries.values_list("leg", flat=True))


def test_a_refund_from_request_to_books(shop: Shop) -> None:
    """R1 in the request's transaction, R2 with the provider's yes; commission and tax go back pro rata."""
    order = paid(shop)
    before = balances(shop)
    made = ask(shop, order, "40.00", reason="one shirt came back", metadata={"rma": "7"})
    assert made.status_code == 201
    seen = made.json()
    assert (seen["object"], seen["amount"], seen["currency"], seen["status"]) == (
        "refund",
        "40.00",
        "USD",
        "REQUESTED",
    )
    assert (seen["payment_order_id"], seen["reason"], seen["destination"], seen["metadata"]) == (
        order["payment_order_id"],
        "one shirt came back",
        "instrument",
        {"rma": "7"},
    )
    assert (legs(), state(shop, order)) == (["accepted"], ("0.00", "40.00"))
    assert seller_wallet(shop).pending_minor == 54_00
    assert refunded_there(shop) == 0
    shop.work()
    assert moved(before, balances(shop)) == {
        "psp_clearing": -40_00,
        "seller_pending": 36_00,
        "commission_refunded": 3_33,
        "tax_payable": 67,
    }
    assert (legs(), state(shop, order), refunded_there(shop)) == (
        ["accepted", "netted"],
        ("40.00", "0.00"),
        40_00,
    )
    shown = shop.store.get(f"/v1/refunds/{seen['id']}").json()
    assert (shown["status"], refunds_of(shop, order)) == ("SUCCESS", [shown])
    told = OutboxEvent.objects.filter(type__startswith="refund.").order_by("id")
    assert list(told.values_list("type", "sequence")) == [("refund.created", 1), ("refund.succeeded", 2)]


def test_all_that_is_left_closes_every_part_and_compensates_the_checkout(shop: Shop) -> None:
    order = paid(shop)
    for amount in ("33.33", "0.01", None):
        assert ask(shop, order, amount).status_code == 201
    shop.work()
    assert state(shop, order) == ("100.00", "0.00")
    # Gross revenue stays visible beside what was given back of it.
    assert balances(shop) == {"commission": -8_33, "commission_refunded": 8_33}
    checkout = PaymentEvent.objects.get()
    assert checkout.compensated_at is not None
    assert not checkout.is_payment_done
    assert shop.checkout(public_id("chk", checkout.id))["status"] == "succeeded"
    assert error(ask(shop, order)) == (422, "refund_exceeds_captured", "payment_order_id")


def pay_out(order: PaymentOrder, amount_minor: int) -> None:
    """The seller takes what is available, as payouts do."""
    (wallet,) = wallets_of(merchant_id=order.merchant_id, owner_type="seller", owner_id=order.seller_id)
    common = {"merchant_id": order.merchant_id, "purpose": "payout", "subject": f"po_{uuid.uuid4().hex}"}
    with transaction.atomic():
        try_hold(wallet_id=wallet.id, amount_minor=amount_minor, **common)
        account = open_account(
            merchant_id=order.merchant_id, role="payouts_in_transit", currency="USD", provider="sepa"
        )
        legs = [credit(account, amount_minor, key=common["subject"])]
        confirm_hold(settled_minor=amount_minor, legs=legs, **common)


def test_the_seller_was_paid_out_f_g5(shop: Shop) -> None:
    """F-G5, R4: the seller has nothing left: the refund is a debt, which comes back first when it fails."""
    order = paid(shop, "100.00", "bob", token="pm_card_refundFail")
    row = PaymentOrder.objects.get()
    release(row, reserve_bps=0)
    pay_out(row, 100_00)
    assert ask(shop, order, "40.00").status_code == 201
    shop.work()
    wallet = seller_wallet(shop)
    assert (wallet.available_minor, wallet.receivable_minor, state(shop, order)[0]) == (0, 40_00, "40.00")
    # What the seller is credited with next pays the debt first (S3).
    paid(shop, "30.00", "bob")
    release(PaymentOrder.objects.latest("created_at"), reserve_bps=0)
    wallet = seller_wallet(shop)
    assert (wallet.available_minor, wallet.receivable_minor) == (0, 10_00)
    # The refund comes back: the rest of the debt is paid, what is left can be spent.
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    tell(shop, *told_refunds(shop))
    wallet = seller_wallet(shop)
    assert (wallet.available_minor, wallet.receivable_minor) == (30_00, 0)


def test_wrong_requests_a_c9(shop: Shop) -> None:
    """A-C9: above the rest, not positive, another currency, another merchant's order; nothing changes."""
    order = paid(shop, buyer_info={"buyer_account": "ben"})
    other = open_shop(shop.provider, shop.provider.url)
    before = balances(shop)
    for amount, code in (
        ("100.01", "refund_exceeds_captured"),
        ("0", "invalid_amount"),
        ("0.00", "invalid_amount"),
        ("-1.00", "invalid_amount"),
        ("1.001", "invalid_amount"),
        ("1e1", "invalid_amount"),
        ("99999999999999", "amount_too_large"),
    ):
        assert error(ask(shop, order, amount))[:2] == (422, code), amount
    assert error(ask(shop, order, "1.00", currency="EUR")) == (422, "currency_mismatch", "currency")
    assert error(ask(other, order, "1.00")) == (404, "not_found", "payment_order_id")
    assert error(ask(shop, {"payment_order_id": "o-none"})) == (404, "not_found", "payment_order_id")
    assert error(ask(shop, order, "1.00", destination="card"))[:2] == (422, "invalid_field")
    waiting = shop.accept(shop.body(shop.order("5.00")))["payment_orders"][0]
    assert error(ask(shop, waiting, "1.00"))[:2] == (422, "refund_exceeds_captured")
    assert Refund.objects.count() == 0
    assert balances(shop) == before
    made = ask(shop, order, "1.00", currency="USD").json()
    assert error(other.store.get(f"/v1/refunds/{made['id']}"))[:2] == (404, "not_found")
    assert other.store.get("/v1/refunds").json()["data"] == []
    shop.work()


def test_to_another_instrument_a_h4(shop: Shop) -> None:
    """A-H4: a refund goes to what was paid with or to the same buyer's wallet; a body can name no other."""
    order = paid(shop)
    body = {"payment_order_id": order["payment_order_id"], "credit_card_info": {"token": "pm_card_visa"}}
    assert error(shop.store.post("/v1/refunds", body, key=uuid.uuid4().hex))[:2] == (422, "unknown_field")
    # This buyer has no account, so there is no wallet either.
    refused = error(ask(shop, order, "1.00", destination="wallet"))
    assert refused == (422, "refund_destination_unavailable", "destination")


def test_to_the_buyers_wallet_w7(shop: Shop) -> None:
    """W7: done in the request's transaction, without the provider."""
    order = paid(shop, buyer_info={"buyer_account": "ben"})
    made = ask(shop, order, "25.00", destination="wallet")
    assert (made.status_code, made.json()["status"]) == (201, "SUCCESS")
    wallet = shop.store.get("/v1/buyers/ben/wallets").json()["data"][0]
    assert (wallet["available"], wallet["currency"], state(shop, order)) == (
        "25.00",
        "USD",
        ("25.00", "0.00"),
    )
    shop.work()
    assert (legs(), refunded_there(shop)) == (["accepted"], 0)
    # What is left goes back to the card: together never more than was captured.
    assert error(ask(shop, order, "75.01"))[1] == "refund_exceeds_captured"
    assert ask(shop, order).json()["amount"] == "75.00"
    shop.work()
    assert (state(shop, order), refunded_there(shop)) == (("100.00", "0.00"), 75_00)


def test_the_commission_is_kept_by_policy_r5(shop: Shop) -> None:
    """R5: the seller bears the whole refund; the policy of the moment of the request counts."""
    order = paid(shop)
    ask(shop, order, "50.00")
    at_edge(put_setting)(
        name=RETURNS_COMMISSION.name,
        value=False,
        scope=public_id("mer", shop.store.merchant_id),
        actor="user:1",
        reason="costs",
    )
    ask(shop, order)
    shop.work()
    wallet = seller_wallet(shop)
    assert (wallet.pending_minor, wallet.receivable_minor) == (0, 5_00)
    assert state(shop, order) == ("100.00", "0.00")


def test_the_provider_refuses(shop: Shop) -> None:
    """R3: what was taken goes back, the rest can be refunded again, and a person is told."""
    order = paid(shop, token="pm_card_sandboxRefundRefused", buyer_info={"buyer_account": "ben"})
    before = balances(shop)
    made = ask(shop, order, "40.00").json()
    shop.work()
    failed = shop.store.get(f"/v1/refunds/{made['id']}").json()
    assert (failed["status"], failed["failure"]["code"]) == ("FAILED", "refund_failed")
    assert (legs(), state(shop, order)) == (["accepted", "failed"], ("0.00", "0.00"))
    # The seller has it as money to spend now, because it never becomes pending again.
    assert moved(before, balances(shop)) == {"seller_available": -36_00, "seller_pending": 36_00}
    case = Case.objects.get(kind="refund_failed")
    assert (case.subject, case.value_minor) == (made["id"], 40_00)
    assert ask(shop, order, destination="wallet").json()["status"] == "SUCCESS"


@pytest.mark.parametrize("kind", ["charged_but_timeout", "not_charged_timeout", "empty_500", "broken_json"])
def test_an_unknown_refund_is_asked_about_f_a5(shop: Shop, kind: str) -> None:
    """F-A5, F-A8: one effect at the provider, whatever its first answer was worth."""
    order = paid(shop)
    shop.arm(kind, operation=CREATE, seconds=2)
    ask(shop, order, "40.00")
    shop.work()
    assert [each["status"] for each in refunds_of(shop, order)] == ["UNKNOWN"]
    assert state(shop, order) == ("0.00", "40.00")
    for _ in range(6):
        shop.later(60)
    assert [each["status"] for each in refunds_of(shop, order)] == ["SUCCESS"]
    assert (refunded_there(shop), legs()) == (40_00, ["accepted", "netted"])


def test_a_refund_that_was_not_sent_is_sent_again(shop: Shop) -> None:
    """F-A6: provably not executed, for example 429: REQUESTED again, and done when the provider takes it."""
    order = paid(shop)
    shop.arm("http_429", operation=CREATE)
    ask(shop, order, "40.00")
    shop.work()
    assert [each["status"] for each in refunds_of(shop, order)] == ["REQUESTED"]
    shop.later(120)
    assert [each["status"] for each in refunds_of(shop, order)] == ["SUCCESS"]
    assert len(shop.requests(CREATE)) == 2


@pytest.mark.parametrize(
    ("token", "end"), [("pendingRefund", "SUCCESS"), ("sandboxRefundPendingFails", "FAILED")]
)
def test_a_pending_refund_ends_by_asking(shop: Shop, token: str, end: str) -> None:
    """No webhook comes: the janitor asks."""
    order = paid(shop, token=f"pm_card_{token}")
    ask(shop, order, "40.00")
    shop.work()
    assert [each["status"] for each in refunds_of(shop, order)] == ["PENDING"]
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    shop.later(7200)
    assert [each["status"] for each in refunds_of(shop, order)] == [end]
    assert state(shop, order) == (("40.00", "0.00") if end == "SUCCESS" else ("0.00", "0.00"))


def test_one_key_is_one_refund(shop: Shop) -> None:
    """F-B1 for refunds: a repeat is answered with the same bytes and refunds nothing again."""
    order = paid(shop)
    body = {"payment_order_id": order["payment_order_id"], "amount": "60.00"}
    first, again = (shop.store.post("/v1/refunds", body, key="k-1") for _ in range(2))
    assert (first.status_code, again.content) == (201, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert error(shop.store.post("/v1/refunds", body))[1] == "idempotency_key_required"
    shop.work()
    assert refunded_there(shop) == 60_00


def test_decimals_of_the_order_count(shop: Shop) -> None:
    """JPY has no decimals: the amount is read in the order's currency, whatever else is sent."""
    checkout = shop.pay(shop.body(shop.order("1000", currency="JPY")))
    order = checkout["payment_orders"][0]
    assert error(ask(shop, order, "10.00"))[:2] == (422, "invalid_amount")
    assert ask(shop, order, "10").json()["amount"] == "10"
    shop.work()
    assert state(shop, order) == ("10", "0")


def test_lists_are_filtered_and_paged(shop: Shop) -> None:
    first, second = paid(shop), paid(shop, "50.00", "bob")
    made = [ask(shop, order, "1.00").json()["id"] for order in (first, first, second)]
    page = shop.store.get("/v1/refunds", limit="2").json()
    assert [each["id"] for each in page["data"]] == [made[2], made[1]]
    rest = shop.store.get("/v1/refunds", limit="2", cursor=page["next_cursor"]).json()
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == ([made[0]], False)
    by_seller = shop.store.get("/v1/refunds", seller_account="bob").json()["data"]
    assert [each["id"] for each in by_seller] == [made[2]]
    assert shop.store.get("/v1/refunds", status="SUCCESS").json()["data"] == []
    shop.work()
    assert len(shop.store.get("/v1/refunds", status="SUCCESS").json()["data"]) == 3
    late = shop.store.get("/v1/refunds", created_gte="2100-01-01T00:00:00Z").json()
    assert late["data"] == []
    assert error(shop.store.get("/v1/refunds", status="DONE"))[:2] == (400, "invalid_parameter")


def test_of_a_part_that_was_captured_only_that_goes_back_f_g7(shop: Shop) -> None:
    """F-G7: 40 of 100 are captured; parts of it go back and close; the release of the rest is no refund."""
    order = authorized(shop)
    assert error(ask(shop, order, "1.00"))[1] == "refund_exceeds_captured"
    capture(shop, order, "40.00")
    shop.work()
    assert error(ask(shop, order, "40.01"))[1] == "refund_exceeds_captured"
    for amount in ("13.33", None):
        assert ask(shop, order, amount).status_code == 201
    shop.work()
    tell(shop, *told_refunds(shop))
    assert (state(shop, order), refunded_there(shop)) == (("40.00", "0.00"), 40_00)
    assert Refund.objects.count() == 2
    assert balances(shop) == {"commission": -3_33, "commission_refunded": 3_33}
