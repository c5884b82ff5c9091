"""Authorised money that is given back: by the store, by the clock, by the provider, or by somebody there."""

import uuid
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.drain import get_drain
from core.models import Case
from ledger.models import JournalEntry
from payments import drains
from payments.models import Charge, ChargeLine, PspOperation
from payments.psp.contract import Outcome, OutcomeKind
from payments.psp.stripe_adapter import StripeAdapter
from tests.payments.conftest import Shop, hosted
from tests.payments.deliveries import deliver, process
from tests.payments.deliveries import told as events_of
from tests.payments.later import (
    CANCEL,
    CAPTURE,
    CONFIRM,
    QUERY,
    authorized,
    capture,
    manual,
    now,
    operations,
    told,
    void,
)
from tests.store import error

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def at_provider(shop: Shop, what: str, **body: Any) -> None:
    """Somebody, or something, acts at the provider without us."""
    shop.provider.control("POST", f"payment_intents/{Charge.objects.get().psp_reference}/{what}", body)


def journal(shop: Shop) -> list[str]:
    return [row["kind"] for row in shop.provider.get(f"journal?account={shop.account}")]


def expire(days: int = 8) -> int:
    clock.move(seconds=days * DAY)
    return get_drain("expiry").run()


def assert_given_back(shop: Shop, order: dict[str, Any], status: str, charge: str) -> None:
    """Nothing is reserved or taken, here or at the provider, and nothing is left to be done."""
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["captured"], seen["capturable"]) == (status, "0.00", "0.00")
    row = Charge.objects.get()
    assert (row.status, row.authorized_minor, row.voided_minor) == (charge, 10000, 10000)
    assert not ChargeLine.objects.filter(live=True).exists()
    assert not PspOperation.objects.filter(due_at__isnull=False).exists()
    assert (JournalEntry.objects.count(), shop.captures()) == (0, [])
    assert journal(shop) == ["charge.authorized", "authorization.released"]
    assert told(order)[-1] == status.lower()


def test_the_store_takes_it_back(shop: Shop) -> None:
    order = authorized(shop)
    answer = void(shop, order)
    assert answer.status_code == 201
    asked = answer.json()
    assert (asked["payment_order_status"], asked["cancel_requested"]) == ("AUTHORIZED", True)
    assert void(shop, order).status_code == 201, "once more changes nothing"
    shop.work()
    assert_given_back(shop, order, "CANCELED", "CANCELED")
    assert operations("void") == ["SUCCEEDED"]
    assert error(capture(shop, order))[1] == "invalid_state"
    assert void(shop, order).status_code == 201


def test_with_the_whole_checkout(shop: Shop) -> None:
    """What is reserved is given back, what is taken stays, and what is being taken comes to its end."""
    body = manual(shop, *(shop.order("10.00") for _ in range(3)), multi_order_policy="best_effort")
    seen = shop.pay(body)
    taken, taking, _ = seen["payment_orders"]
    capture(shop, taken)
    shop.work()
    capture(shop, taking)
    answer = shop.store.post(f"/v1/checkouts/{seen['id']}/cancellations", None, key="k")
    assert answer.status_code == 201
    shop.work()
    states = [each["payment_order_status"] for each in shop.checkout(seen["id"])["payment_orders"]]
    assert states == ["SUCCESS", "SUCCESS", "CANCELED"]


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("charged_but_timeout", {}),
        ("not_charged_timeout", {}),
        ("empty_500", {"effect": True}),
        ("http_429", {}),
        ("broken_json", {}),
    ],
)
def test_an_unknown_void_is_asked_about(shop: Shop, kind: str, options: dict[str, Any]) -> None:
    order = authorized(shop)
    shop.arm(kind, operation=CANCEL, **options)
    void(shop, order)
    shop.work()
    assert now(shop, order)["payment_order_status"] == "AUTHORIZED"
    assert operations("void") == ["NOT_SENT" if kind == "http_429" else "UNKNOWN"]
    shop.later(3)
    assert_given_back(shop, order, "CANCELED", "CANCELED")


def test_authorised_after_it_was_taken_back(shop: Shop) -> None:
    """The answer to the payment was lost; the store cancels; what it reserved is given back at once."""
    shop.arm("charged_but_timeout", operation=CONFIRM)
    seen = shop.pay(manual(shop))
    order = seen["payment_orders"][0]
    assert void(shop, order).status_code == 201
    shop.work()
    assert_given_back(shop, order, "CANCELED", "CANCELED")
    assert told(order)[-2:] == ["authorized", "canceled"]


def test_on_the_providers_page(shop: Shop) -> None:
    """What is given back is the payment behind the page; the page itself is done."""
    seen = shop.pay(hosted(shop, shop.order(), capture="manual"))
    page = Charge.objects.get().session_reference
    shop.provider.control("POST", f"checkout_sessions/{page}/payment", {"token": "pm_card_visa"})
    shop.later(2)
    void(shop, seen["payment_orders"][0])
    shop.work()
    assert_given_back(shop, seen["payment_orders"][0], "CANCELED", "CANCELED")


def test_nobody_takes_it_in_time(shop: Shop) -> None:
    """F-A17: our own clock gives it back, and the store is told."""
    order = authorized(shop)
    assert Charge.objects.get().capture_before - clock.now() <= timedelta(days=7)
    assert expire(6) == 1, "the checkout's day is over, the authorisation's week is not"
    shop.work()
    assert now(shop, order)["payment_order_status"] == "AUTHORIZED"
    assert expire(2) == 1
    assert expire(0) == 0, "once"
    assert error(capture(shop, order))[1] == "invalid_state"
    shop.work()
    assert_given_back(shop, order, "EXPIRED", "EXPIRED")
    assert not Case.objects.exists()


def test_the_bank_drops_it_before_it_is_taken_f_a17(shop: Shop) -> None:
    """F-A17: the capture's error is final: expired, nothing posted, the store told."""
    order = authorized(shop)
    at_provider(shop, "expire")
    assert capture(shop, order).status_code == 201
    shop.work()
    assert_given_back(shop, order, "EXPIRED", "EXPIRED")
    assert operations("capture") == ["DECLINED"]
    (refused,) = shop.requests(CAPTURE)
    assert refused["error_code"] == "charge_expired_for_capture"


def test_the_provider_tells_that_it_is_over(shop: Shop) -> None:
    """F-A17: by webhook, twice, and before anybody asks."""
    order = authorized(shop)
    at_provider(shop, "expire")
    for event in events_of(shop, order["checkout_id"]) + events_of(shop, order["checkout_id"]):
        deliver(shop, event)
    process()
    assert_given_back(shop, order, "EXPIRED", "EXPIRED")
    assert not Case.objects.exists(), "its time ran out, which is nobody's doing"


def test_a_capture_on_its_way_when_time_is_over(shop: Shop) -> None:
    """One that never arrived is not sent any more; one that may have arrived comes to its end."""
    order = authorized(shop)
    shop.arm("http_429", operation=CAPTURE, times=None)
    capture(shop, order)
    shop.work()
    expire()
    shop.cure()
    shop.work()
    assert (operations("capture"), shop.captures()) == (["CANCELED"], [])
    assert_given_back(shop, order, "EXPIRED", "EXPIRED")


def test_an_unknown_capture_is_not_ended_by_the_clock(shop: Shop) -> None:
    order = authorized(shop)
    shop.arm("charged_but_timeout", operation=CAPTURE)
    capture(shop, order, "40.00")
    shop.work()
    assert expire() == 1, "the checkout, and not the authorisation"
    shop.work()
    assert now(shop, order)["captured"] == "40.00"
    assert operations("void") == []


def test_an_authorisation_that_cannot_be_expired_stops_no_other(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody looks at it, once; the pass ends."""
    authorized(shop)
    monkeypatch.setattr(drains, "expire_authorization", lambda **_: 1 / 0)
    assert expire() == 2
    assert "division by zero" in Case.objects.get(kind="authorization_stuck").summary


def test_a_refused_void_is_asked_for_again_later(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider that says no is no reason to forget the buyer's money; nor to ask all the time."""
    order = authorized(shop)
    refusal = Outcome(OutcomeKind.DECLINED, error="not today")
    monkeypatch.setattr(StripeAdapter, "cancel", lambda *_, **__: refusal)
    void(shop, order)
    shop.work()
    assert (operations("void"), now(shop, order)["payment_order_status"]) == (["DECLINED"], "AUTHORIZED")
    assert "not today" in Case.objects.get(kind="void_refused").summary
    assert error(capture(shop, order))[1] == "invalid_state", "the store took it back"
    monkeypatch.undo()
    for seconds, tries in ((1800, 1), (2000, 2)):
        clock.move(seconds=seconds)
        get_drain("expiry").run()
        assert len(operations("void")) == tries
    shop.work()
    assert_given_back(shop, order, "CANCELED", "CANCELED")


def test_that_it_is_not_found_proves_nothing(shop: Shop) -> None:
    order = authorized(shop)
    reference = Charge.objects.get().psp_reference
    Charge.objects.filter().update(psp_reference="pi_gone")
    expire()
    shop.work()
    assert operations("void") == ["UNKNOWN"], "not found is no proof of anything"
    Charge.objects.filter().update(psp_reference=reference)
    shop.later(3)
    assert_given_back(shop, order, "EXPIRED", "EXPIRED")


@pytest.mark.parametrize("amount", [10000, 4000])
@pytest.mark.parametrize("how", ["webhook", "capture", "void", "expiry"])
def test_taken_at_the_provider_outside_us_is_adopted(shop: Shop, how: str, amount: int) -> None:
    """The same rows as if we had ordered it, by actor psp, and a case so that somebody sees it."""
    order = authorized(shop)
    at_provider(shop, "capture", amount=amount)
    if how == "webhook":
        for event in reversed(events_of(shop, order["checkout_id"])):
            deliver(shop, event)
            deliver(shop, event, id=f"{event['id']}_twin")
        process()
    elif how == "capture":
        capture(shop, order, f"{amount // 100}.00")
    elif how == "void":
        void(shop, order)
    else:
        expire()
    shop.work()
    seen = now(shop, order)
    assert (seen["payment_order_status"], seen["captured"]) == ("SUCCESS", f"{amount // 100}.00")
    assert operations("capture") == ["SUCCEEDED"]
    assert PspOperation.objects.get(kind="capture").amount_minor == amount
    assert JournalEntry.objects.count() == 1
    assert told(order)[-1] == "succeeded"
    if how != "capture":
        assert "not through us" in Case.objects.get(kind="captured_elsewhere").summary
        steps = [each for each in seen["timeline"] if each["what"] == "operation.capture"]
        assert {each["actor"] for each in steps} == {"psp"}
    assert operations("void") == (["DECLINED"] if how in ("void", "expiry") else [])


@pytest.mark.parametrize("how", ["webhook", "capture", "void"])
def test_canceled_at_the_provider_outside_us_is_adopted(shop: Shop, how: str) -> None:
    order = authorized(shop)
    at_provider(shop, "cancel")
    if how == "webhook":
        for event in reversed(events_of(shop, order["checkout_id"])):
            deliver(shop, event)
            deliver(shop, event, id=f"{event['id']}_twin")
        process()
    elif how == "capture":
        capture(shop, order)
    else:
        void(shop, order)
    shop.work()
    assert_given_back(shop, order, "CANCELED", "CANCELED")
    assert operations("void") == ["SUCCEEDED"]
    if how != "void":
        assert "not through us" in Case.objects.get(kind="canceled_elsewhere").summary
        assert not now(shop, order)["cancel_requested"]


def test_taken_before_we_knew_that_it_was_reserved(shop: Shop) -> None:
    """The answer to the payment was lost, and somebody captured a part at the provider."""
    shop.arm("charged_but_timeout", operation=CONFIRM)
    seen = shop.pay(manual(shop))
    at_provider(shop, "capture", amount=3000)
    shop.later(2)
    order = now(shop, seen["payment_orders"][0])
    assert (order["payment_order_status"], order["authorized"], order["captured"]) == (
        "SUCCESS",
        "100.00",
        "30.00",
    )
    assert told(order)[-2:] == ["authorized", "succeeded"]
    assert Case.objects.filter(kind="captured_elsewhere").count() == 1


def test_an_unsent_capture_gives_way_to_one_at_the_provider(shop: Shop) -> None:
    order = authorized(shop)
    shop.arm("http_429", operation=CAPTURE, times=None)
    capture(shop, order, "40.00")
    shop.work()
    at_provider(shop, "capture", amount=8000)
    deliver(shop, events_of(shop, order["checkout_id"])[-1])
    process()
    assert (operations("capture"), now(shop, order)["captured"]) == (["CANCELED", "SUCCEEDED"], "80.00")


def test_our_own_answers_by_webhook_first(shop: Shop) -> None:
    """The event comes before the answer, and after it, and the old ones last: nothing happens twice."""
    order = authorized(shop)
    shop.arm("charged_but_timeout", operation=CAPTURE)
    shop.arm("http_503", operation=QUERY, times=None)
    capture(shop, order, "40.00")
    shop.work()
    events = events_of(shop, order["checkout_id"])
    for event in (events[-1], *events, events[-1]):
        deliver(shop, event, id=f"evt_{uuid.uuid4().hex}")
    process()
    shop.cure()
    shop.later(10)
    assert now(shop, order)["captured"] == "40.00"
    assert (JournalEntry.objects.count(), operations("capture")) == (1, ["SUCCEEDED"])
    assert not Case.objects.exists()


def test_an_event_of_another_amount_posts_nothing(shop: Shop) -> None:
    """Authentic is not valid: the provider tells of more than was reserved."""
    order = authorized(shop)
    at_provider(shop, "capture", amount=10000)
    event = events_of(shop, order["checkout_id"])[-1]
    event["data"]["object"]["amount_received"] = 10001
    deliver(shop, event)
    process()
    assert now(shop, order)["payment_order_status"] == "AUTHORIZED"
    assert Case.objects.get(kind="charge_conflict")
    assert JournalEntry.objects.count() == 0


def test_reserved_for_a_charge_that_had_ended(shop: Shop) -> None:
    """Told of late, it is given back at once; nobody expects it any more."""
    seen = shop.pay(manual(shop, token="pm_card_chargeDeclined"))
    assert seen["status"] == "failed"
    reference = Charge.objects.get().psp_reference
    intents = shop.provider.client(shop.account_key).v1.payment_intents
    intents.confirm(reference, {"payment_method": "pm_card_visa"})
    for event in events_of(shop, seen["checkout_id"]):
        deliver(shop, event)
    process()
    shop.work()
    assert (operations("void"), Charge.objects.get().status) == (["SUCCEEDED"], "DECLINED")
    assert intents.retrieve(reference).status == "canceled"
    assert shop.checkout(seen["id"])["status"] == "failed"
