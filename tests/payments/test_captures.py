"""Authorise now, take the money later: all of it or a part, once, and never after it was given back."""

import uuid
from typing import Any

import pytest

from core.audits import NOT_EXERCISED, run_audits
from core.models import Case, StatusChange
from core.transactions import at_edge
from ledger.models import JournalEntry, JournalLine
from payments.models import Charge, OrderShare, PspOperation
from payments.services import request_conflict_resolution, resolve_conflict
from tests.payments.conftest import Shop, hosted
from tests.payments.later import CAPTURE, QUERY, authorized, capture, manual, now, operations, told, void
from tests.store import error, open_store
from wallet.models import Wallet


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5


def assert_taken(shop: Shop, order: dict[str, Any], amount: str, minor: int) -> None:
    """The order is paid with exactly so much, once, here and at the provider."""
    seen = now(shop, order)
    nothing = seen["refunded"]
    assert (seen["payment_order_status"], seen["captured"]) == ("SUCCESS", amount)
    assert (seen["capturable"], seen["refund_pending"]) == (nothing, nothing)
    assert (seen["wallet_updated"], seen["ledger_updated"], seen["failure"]) == (True, True, None)
    assert [row["amount"] for row in shop.captures()] == [minor]
    assert operations("capture") == ["SUCCEEDED"]
    assert JournalEntry.objects.filter(source="charge").count() == 1
    assert shop.checkout(order["checkout_id"])["is_payment_done"]


def test_money_is_reserved_and_taken_when_the_store_says_so(shop: Shop) -> None:
    order = authorized(shop)
    assert (order["authorized"], order["captured"], order["capturable"]) == ("100.00", "0.00", "100.00")
    assert (JournalEntry.objects.count(), Wallet.objects.count(), shop.captures()) == (0, 0, [])
    shop.later(60)
    assert shop.requests(CAPTURE) == [], "nobody takes it unasked"
    answer = capture(shop, order)
    assert (answer.status_code, answer.json()["payment_order_status"]) == (201, "AUTHORIZED"), answer.content
    shop.work()
    assert_taken(shop, order, "100.00", 10000)
    assert told(order) == ["created", "executing", "authorized", "succeeded"]
    what = [f"{each['what']} {each['to']}" for each in now(shop, order)["timeline"]]
    assert what[-5:] == [
        "operation.capture CREATED",
        "operation.capture SENT",
        "operation.capture SUCCEEDED",
        "charge CAPTURED",
        "payment_order SUCCESS",
    ]


def test_a_part_is_split_and_the_rest_given_back(shop: Shop) -> None:
    """10 % commission with 20 % tax inside, of what was taken and of nothing else."""
    order = authorized(shop)
    assert capture(shop, order, "40.00").status_code == 201
    shop.work()
    assert_taken(shop, order, "40.00", 4000)
    assert now(shop, order)["authorized"] == "100.00"
    charge, share = Charge.objects.get(), OrderShare.objects.get()
    assert (charge.authorized_minor, charge.captured_minor, charge.voided_minor) == (10000, 4000, 6000)
    assert (share.seller_net_minor, share.commission_minor, share.tax_minor) == (3600, 333, 67)
    assert Wallet.objects.get().pending_minor == 3600
    assert sorted(JournalLine.objects.values_list("amount_minor", flat=True)) == [-3600, -333, -67, 4000]
    assert shop.provider.get(f"journal/totals?account={shop.account}")[0]["net"] == 4000


@pytest.mark.parametrize(
    ("currency", "amount", "part", "minor", "shown"),
    [("JPY", "1000", "400", 400, "400"), ("KWD", "12.340", "4.10", 4100, "4.100")],
)
def test_in_currencies_without_cents(
    shop: Shop, currency: str, amount: str, part: str, minor: int, shown: str
) -> None:
    order = authorized(shop, shop.order(amount, currency=currency))
    assert capture(shop, order, part, currency=currency).status_code == 201
    shop.work()
    assert_taken(shop, order, shown, minor)


def test_an_amount_that_the_provider_cannot_take_is_refused_and_all_is_as_before(shop: Shop) -> None:
    """Three decimals in a currency of which this provider takes two."""
    order = authorized(shop, shop.order("12.340", currency="KWD"))
    assert capture(shop, order, "4.105").status_code == 201
    shop.work()
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["failure"]["code"]) == ("AUTHORIZED", "amount_not_supported")
    assert shop.requests(CAPTURE) == []
    capture(shop, order, "4.100")
    shop.work()
    assert now(shop, order)["failure"] is None


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"amount": "100.01"}, 422, "capture_exceeds_authorized", "amount"),
        ({"amount": "99999999999.00"}, 422, "amount_too_large", "amount"),
        ({"amount": "0.00"}, 422, "invalid_amount", "amount"),
        ({"amount": "-1.00"}, 422, "invalid_amount", "amount"),
        ({"amount": "1.001"}, 422, "invalid_amount", "amount"),
        ({"amount": 40}, 422, "invalid_amount", "amount"),
        ({"amount": "40.00", "currency": "EUR"}, 422, "currency_mismatch", "currency"),
        ({"amount": "40.00", "currency": "usd"}, 422, "invalid_currency", "currency"),
        ({"amount": "40.00", "final": True}, 422, "unknown_field", "final"),
    ],
)
def test_what_cannot_be_captured_a_c8(
    shop: Shop, body: dict[str, Any], status: int, code: str, param: str
) -> None:
    """A-C7, A-C8: above the authorisation, in another currency, or no amount at all."""
    order = authorized(shop)
    answer = shop.store.post(f"/v1/payments/{order['id']}/captures", body, key=uuid.uuid4().hex)
    assert error(answer) == (status, code, param)
    assert not PspOperation.objects.filter(kind="capture").exists()


def test_only_once_and_only_while_the_money_is_reserved_a_c8(shop: Shop) -> None:
    """A-C8: a second capture, one after the void, one of what is paid or not paid yet; another merchant's."""
    order = authorized(shop)
    assert capture(shop, order, "40.00").status_code == 201
    assert error(capture(shop, order, "40.00"))[:2] == (409, "invalid_state"), "while the first is on its way"
    shop.work()
    assert error(capture(shop, order, "60.00"))[:2] == (409, "invalid_state")
    given_back = authorized(shop)
    assert void(shop, given_back).status_code == 201
    assert error(capture(shop, given_back))[:2] == (409, "invalid_state"), "while the void is on its way"
    shop.work()
    assert now(shop, given_back)["payment_order_status"] == "CANCELED"
    assert error(capture(shop, given_back))[:2] == (409, "invalid_state")
    waiting = shop.accept(manual(shop))["payment_orders"][0]
    assert error(capture(shop, waiting))[:2] == (409, "invalid_state")
    paid = shop.pay(shop.body(shop.order()))["payment_orders"][0]
    assert error(capture(shop, paid))[:2] == (409, "invalid_state")
    mine, shop.store = shop.store, open_store()
    assert error(capture(shop, order))[:2] == (404, "not_found")
    shop.store = mine
    answer = shop.store.post(f"/v1/payments/{order['id']}/captures", {})
    assert error(answer)[:2] == (400, "idempotency_key_required")
    assert len(shop.requests(CAPTURE)) == 1


def test_the_same_request_twice_is_one_capture(shop: Shop) -> None:
    order = authorized(shop)
    path, body = f"/v1/payments/{order['payment_order_id']}/captures", {"amount": "70.00"}
    first, second = (shop.store.post(path, body, key="k-1") for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    shop.work()
    assert_taken(shop, order, "70.00", 7000)


UNKNOWN = [
    ("charged_but_timeout", {}),
    ("not_charged_timeout", {}),
    ("connection_reset_after_body", {}),
    ("empty_500", {"effect": True}),
    ("empty_500", {}),
    ("http_502", {"effect": True}),
    ("broken_json", {}),
    ("http_409", {}),
]


@pytest.mark.parametrize(("kind", "options"), UNKNOWN)
def test_an_unknown_capture_is_asked_about_and_taken_once(
    shop: Shop, kind: str, options: dict[str, Any]
) -> None:
    """F-A5, F-A9: whether it arrived or not, under one key, and never more than once."""
    order = authorized(shop)
    shop.arm(kind, operation=CAPTURE, **options)
    capture(shop, order, "40.00")
    shop.work()
    assert now(shop, order)["payment_order_status"] == "AUTHORIZED", "an unknown outcome is not guessed"
    assert operations("capture") == ["UNKNOWN"]
    assert error(capture(shop, order))[1] == error(void(shop, order))[1] == "invalid_state"
    shop.later(3)
    assert_taken(shop, order, "40.00", 4000)
    assert len({row["idempotency_key"] for row in shop.requests(CAPTURE)}) == 1


def test_a_capture_that_never_arrived_is_sent_again(shop: Shop) -> None:
    """F-A11: a refused connection and a full provider are no end."""
    order = authorized(shop)
    shop.arm("http_429", operation=CAPTURE, times=3)
    capture(shop, order)
    shop.work()
    assert operations("capture") == ["NOT_SENT"]
    for _ in range(4):
        shop.later(20)
    assert_taken(shop, order, "100.00", 10000)


def test_a_provider_that_does_not_listen_is_tried_again(shop: Shop) -> None:
    order = authorized(shop)
    capture(shop, order)
    shop.provider.control("POST", "listener", {"open": False})
    shop.work()
    assert operations("capture") == ["NOT_SENT"]
    shop.provider.control("POST", "listener", {"open": True})
    for _ in range(3):
        shop.later(30)
    assert_taken(shop, order, "100.00", 10000)


def test_a_capture_too_old_to_be_sent_again_is_refused_not_repeated(shop: Shop) -> None:
    """F-A16: when the provider may have forgotten the key, it is only asked; the store decides anew."""
    order = authorized(shop)
    shop.arm("http_503", operation=CAPTURE, times=None)
    shop.arm("http_503", operation=QUERY, times=None)
    capture(shop, order, "40.00")
    shop.work()
    shop.cure()
    shop.later(24 * 3600)
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["failure"]["code"]) == ("AUTHORIZED", "psp_unavailable")
    assert (operations("capture"), shop.captures()) == (["DECLINED"], [])
    assert told(order)[-1] == "capture_failed"
    assert capture(shop, order, "30.00").status_code == 201
    shop.work()
    assert [row["amount"] for row in shop.captures()] == [3000]


def test_a_refused_capture_leaves_the_money_reserved(shop: Shop) -> None:
    order = authorized(shop, token="pm_card_sandboxCaptureRefused")
    capture(shop, order)
    shop.work()
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["capturable"]) == ("AUTHORIZED", "100.00")
    assert (seen["failure"]["code"], seen["failure"]["decline_code"]) == ("card_declined", "generic_decline")
    assert told(order)[-1] == "capture_failed"
    assert capture(shop, order).status_code == 201, "another try is another operation"
    shop.work()
    assert operations("capture") == ["DECLINED", "DECLINED"]
    assert void(shop, order).status_code == 201
    shop.work()
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["failure"]) == ("CANCELED", None)


@pytest.mark.parametrize("result", ["succeed", "fail"])
def test_a_capture_that_takes_its_time(shop: Shop, result: str) -> None:
    """The provider thinks about it; if it fails then, the money is neither taken nor reserved any more."""
    order = authorized(shop, token="pm_card_sandboxCaptureProcessing")
    capture(shop, order, "40.00")
    shop.work()
    assert (operations("capture"), now(shop, order)["payment_order_status"]) == (["PENDING"], "AUTHORIZED")
    reference = Charge.objects.get().psp_reference
    shop.provider.control("POST", f"payment_intents/{reference}/settlement", {"result": result})
    shop.later(30)
    if result == "succeed":
        assert_taken(shop, order, "40.00", 4000)
        return
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["failure"]["code"]) == ("FAILED", "card_declined")
    assert (Charge.objects.get().status, Charge.objects.get().voided_minor) == ("CANCELED", 10000)
    assert told(order)[-1] == "failed"
    answer = shop.store.post(
        f"/v1/checkouts/{order['checkout_id']}/attempts",
        {"credit_card_info": {"token": "pm_card_visa"}},
        key=uuid.uuid4().hex,
    )
    assert answer.status_code == 201, "another card may pay"
    shop.work()
    assert now(shop, order)["payment_order_status"] == "AUTHORIZED"


def test_an_answer_of_another_amount_posts_nothing(shop: Shop) -> None:
    """F-A13: somebody took 80.00 at the provider while our order of 40.00 was on its way."""
    order = authorized(shop)
    shop.arm("not_charged_timeout", operation=CAPTURE)
    capture(shop, order, "40.00")
    shop.work()
    reference = Charge.objects.get().psp_reference
    shop.provider.control("POST", f"payment_intents/{reference}/capture", {"amount": 8000})
    shop.later(3)
    assert (operations("capture"), Charge.objects.get().status) == (["CONFLICTED"], "CONFLICTED")
    assert JournalEntry.objects.count() == 0
    assert "80.00 USD of 100.00 USD" in Case.objects.get(kind="charge_conflict").summary
    assert error(capture(shop, order))[1] == error(void(shop, order))[1] == "invalid_state"


@pytest.mark.parametrize("end", ["captured", "canceled"])
def test_two_people_end_what_contradicts(shop: Shop, end: str) -> None:
    """If the provider bears it out: what it took is booked, or what it holds is given back."""
    order = authorized(shop)
    shop.arm("not_charged_timeout", operation=CAPTURE)
    capture(shop, order, "40.00")
    shop.work()
    reference = Charge.objects.get().psp_reference
    if end == "captured":
        shop.provider.control("POST", f"payment_intents/{reference}/capture", {"amount": 8000})
    else:
        nonce = PspOperation.objects.get(kind="capture").nonce
        shop.provider.client(shop.account_key).v1.customers.create({}, {"idempotency_key": nonce})
    shop.later(3)
    charge = Charge.objects.get()
    assert charge.status == "CONFLICTED"
    ask = at_edge(request_conflict_resolution)
    approval = ask(charge_id=charge.id, outcome=end, reason="looked at it", maker="user:1")
    if end == "captured":
        assert resolve_conflict(approval_id=approval, checker="user:2") == "resolved"
        seen = now(shop, order)
        assert (seen["payment_order_status"], seen["captured"]) == ("SUCCESS", "80.00")
        assert operations("capture") == ["DECLINED", "SUCCEEDED"]
        return
    assert resolve_conflict(approval_id=approval, checker="user:2") == "closing"
    shop.work()
    assert resolve_conflict(approval_id=approval, checker="user:2") == "resolved"
    assert (operations("capture"), operations("void")) == (["DECLINED"], ["SUCCEEDED"])
    assert (now(shop, order)["payment_order_status"], shop.captures()) == ("FAILED", [])


def test_an_authorisation_of_another_amount_reserves_nothing(shop: Shop) -> None:
    """F-A13: the bank reserved a cent less than was asked."""
    seen = shop.pay(manual(shop, token="pm_card_sandboxPartialApproval"))
    assert (seen["status"], Charge.objects.get().status) == ("processing", "CONFLICTED")
    assert "99.99 USD of 100.00 USD were authorised" in Case.objects.get(kind="charge_conflict").summary
    assert error(capture(shop, seen["payment_orders"][0]))[1] == "invalid_state"


def test_several_orders_need_a_charge_each(shop: Shop) -> None:
    """A part of a shared charge would be nobody's; each on its own is captured on its own."""
    body = manual(shop, shop.order("60.00"), shop.order("40.00", "bob"))
    assert error(shop.store.post("/v1/payments", body, key="k")) == (422, "capture_unsupported", "capture")
    seen = shop.pay(body | {"multi_order_policy": "best_effort"})
    assert seen["status"] == "authorized"
    ann, bob = seen["payment_orders"]
    capture(shop, ann, "50.00")
    shop.work()
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["is_payment_done"], seen["is_final"]) == ("authorized", False, True)
    void(shop, bob)
    shop.work()
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["is_payment_done"]) == ("partially_succeeded", False)
    assert [row["amount"] for row in shop.captures()] == [5000]


def test_on_the_providers_page(shop: Shop) -> None:
    seen = shop.pay(hosted(shop, shop.order(), capture="manual"))
    page = Charge.objects.get().session_reference
    shop.provider.control("POST", f"checkout_sessions/{page}/payment", {"token": "pm_card_visa"})
    shop.later(2)
    order = shop.checkout(seen["id"])["payment_orders"][0]
    assert (order["payment_order_status"], order["capturable"]) == ("AUTHORIZED", "100.00")
    assert order["psp"]["reference"].startswith("pi_")
    capture(shop, order, "25.00")
    shop.work()
    assert_taken(shop, order, "25.00", 2500)


def test_what_a_three_d_secure_step_reserved(shop: Shop) -> None:
    seen = shop.pay(manual(shop, token="pm_card_threeDSecure2Required"))
    assert seen["status"] == "requires_action"
    reference = Charge.objects.get().psp_reference
    shop.provider.control("POST", f"payment_intents/{reference}/authentication", {"result": "complete"})
    shop.later(2)
    order = shop.checkout(seen["id"])["payment_orders"][0]
    assert (order["payment_order_status"], shop.checkout(seen["id"])["next_action"]) == ("AUTHORIZED", None)


def test_an_unknown_authorisation_is_found_by_asking(shop: Shop) -> None:
    """F-A5."""
    shop.arm("charged_but_timeout", operation="payment_intents.confirm")
    seen = shop.pay(manual(shop))
    assert Charge.objects.get().status == "UNKNOWN"
    shop.later(2)
    assert shop.checkout(seen["id"])["status"] == "authorized"
    assert "capture" not in {row["operation"] for row in shop.requests()}


def test_the_audits_were_exercised(shop: Shop) -> None:
    capture(shop, authorized(shop), "40.00")
    shop.work()
    authorized(shop)
    report = run_audits(store=False)
    idle = {each.name for each in report.findings if each.verdict == NOT_EXERCISED}
    names = {"capture_is_its_operation", "capture_or_void", "authorized_is_taken_or_given_back"}
    assert not idle & (names | {"authorized_order_is_its_charge", "partial_capture_has_one_order"})
    assert StatusChange.objects.filter(to_state="AUTHORIZED").count() == 4
