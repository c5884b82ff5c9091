"""Money that buyers bring into their wallets: the same three phases, the same doubts, the same endings."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from channels.models import Channel
from core import clock
from core.drain import get_drain
from core.ids import public_id
from core.models import Case, OutboxEvent
from core.settings_store import put_setting
from ledger.models import JournalEntry
from payments.models import Charge, PspOperation, TopUp
from tests.payments.conftest import Shop
from tests.payments.deliveries import deliver, process
from tests.payments.purses import Purse, open_purse
from tests.risk.rules import enforce
from tests.store import error

CONFIRM, CREATE, QUERY = (f"payment_intents.{name}" for name in ("confirm", "create", "retrieve"))
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved; only the worker opens pages."""
    settings.PSP_READ_TIMEOUT = 0.5
    settings.INLINE_REGISTRATIONS = 0


@pytest.fixture
def purse(shop: Shop) -> Purse:
    """A buyer whose wallet is empty."""
    return open_purse(shop)


def _path(purse: Purse) -> str:
    return f"/v1/wallets/{public_id('wal', purse.wallet().id)}/top_ups"


def _send(purse: Purse, amount: str = "30.00", **body: Any) -> Any:
    sent = {"amount": amount, "currency": "USD"} | body
    return purse.shop.store.post(_path(purse), sent, key=uuid.uuid4().hex)


def _top_up(purse: Purse, token: str = "pm_card_visa", **body: Any) -> dict[str, Any]:
    answer = _send(purse, credit_card_info={"token": token}, **body)
    assert answer.status_code == 201, answer.content
    return answer.json()


def _seen(purse: Purse, top_up: dict[str, Any]) -> dict[str, Any]:
    return purse.shop.store.get(f"/v1/top_ups/{top_up['id']}").json()


def _events(top_up: dict[str, Any]) -> list[str]:
    rows = OutboxEvent.objects.filter(subject=top_up["id"]).order_by("sequence")
    return [row.type.removeprefix("top_up.") for row in rows]


def _provider_events(shop: Shop, kind: str = "payment_intent.succeeded") -> list[dict[str, Any]]:
    events = shop.provider.control("GET", f"events?account={shop.account_id}")["data"]
    return [
        {key: value for key, value in event.items() if key != "account"}
        for event in events
        if event["type"] == kind
    ]


def _legs() -> list[str]:
    return list(JournalEntry.objects.filter(source="charge").order_by("id").values_list("leg", flat=True))


def test_a_card_tops_up_a_wallet_and_the_balance_pays(purse: Purse) -> None:
    """W1: captured, posted, spendable; then W3 and W4 with the money."""
    top_up = _top_up(purse)
    assert (top_up["top_up_status"], top_up["available"], purse.left()) == ("NOT_STARTED", False, (0, 0))
    purse.shop.work()
    seen = _seen(purse, top_up)
    assert (seen["top_up_status"], seen["available"], seen["failure"]) == ("SUCCESS", True, None)
    assert seen["psp"]["reference"] == Charge.objects.get().psp_reference
    assert purse.left() == (30_00, 0) and _legs() == ["top_up"]
    assert _events(top_up) == ["created", "executing", "succeeded"]
    (taken,) = purse.shop.captures()
    assert taken["amount"] == 3000
    assert purse.shop.accept(purse.body(purse.shop.order("12.00")))["status"] == "succeeded"
    assert purse.left() == (18_00, 0)
    listed = purse.shop.store.get(_path(purse)).json()
    assert [each["id"] for each in listed["data"]] == [top_up["id"]] and not listed["has_more"]


def test_a_decline_leaves_the_wallet_alone(purse: Purse) -> None:
    """Failed with the provider's reason; nothing is posted."""
    top_up = _top_up(purse, "pm_card_chargeDeclinedStolenCard")
    purse.shop.work()
    seen = _seen(purse, top_up)
    assert (seen["top_up_status"], seen["failure"]["code"]) == ("FAILED", "fraud_suspected")
    assert (purse.left(), _legs(), _events(top_up)[-1]) == ((0, 0), [], "failed")


def test_charged_and_the_answer_is_lost(purse: Purse) -> None:
    """F-A5: unknown, asked about, and credited once; the provider took the money once."""
    purse.shop.arm("charged_but_timeout", operation=CONFIRM, times=1)
    top_up = _top_up(purse)
    purse.shop.work()
    assert (_seen(purse, top_up)["top_up_status"], purse.left()) == ("EXECUTING", (0, 0))
    assert PspOperation.objects.get(kind="confirm").status == "UNKNOWN"
    purse.shop.later(3)
    assert (_seen(purse, top_up)["top_up_status"], purse.left()) == ("SUCCESS", (30_00, 0))
    assert len(purse.shop.captures()) == 1 and _legs() == ["top_up"]


def test_the_webhook_comes_first_and_thrice(purse: Purse) -> None:
    """F-C1, F-C2, F-C3: the event ends the doubt; the answer and its twins change nothing."""
    purse.shop.arm("empty_500", operation=CONFIRM, times=1, effect=True)
    top_up = _top_up(purse)
    purse.shop.work()
    (event,) = _provider_events(purse.shop)
    for identifier in (event["id"], event["id"], "evt_twin"):
        assert deliver(purse.shop, event, id=identifier) == 200
    process()
    assert (_seen(purse, top_up)["top_up_status"], purse.left()) == ("SUCCESS", (30_00, 0))
    purse.shop.later(5)
    assert (_legs(), _events(top_up)) == (["top_up"], ["created", "executing", "succeeded"])


def test_three_d_secure(purse: Purse) -> None:
    """The buyer's step is shown, and the top-up goes on when it is done."""
    top_up = _top_up(purse, "pm_card_threeDSecure2Required", return_url="https://shop.example/w?a=1")
    purse.shop.work()
    seen = _seen(purse, top_up)
    assert (seen["top_up_status"], seen["next_action"]["type"]) == ("REQUIRES_ACTION", "redirect_to_url")
    reference = Charge.objects.get().psp_reference
    purse.shop.provider.control("POST", f"payment_intents/{reference}/authentication", {"result": "complete"})
    purse.shop.later(10)
    assert (_seen(purse, top_up)["top_up_status"], purse.left()) == ("SUCCESS", (30_00, 0))
    assert _events(top_up) == ["created", "executing", "requires_action", "succeeded"]


def test_the_providers_page(purse: Purse) -> None:
    """Hosted: opened, paid, credited; our own page leads there and back to the store."""
    top_up = _send(purse, return_url="https://shop.example/wallet?tab=2").json()
    purse.shop.work()
    seen = _seen(purse, top_up)
    assert seen["top_up_status"] == "REQUIRES_ACTION"
    assert seen["next_action"]["url"] == Charge.objects.get().redirect_url
    page = _page(top_up["id"])
    assert "30.00" in page and seen["next_action"]["url"] in page
    session = Charge.objects.get().session_reference
    purse.shop.provider.control("POST", f"checkout_sessions/{session}/payment", {"token": "pm_card_visa"})
    back = _get(f"/pay/{top_up['id']}/return")
    assert back.status_code == 303
    assert back.headers["Location"] == f"https://shop.example/wallet?tab=2&top_up={top_up['id']}"
    purse.shop.later(2)
    assert (_seen(purse, top_up)["top_up_status"], purse.left()) == ("SUCCESS", (30_00, 0))
    assert "your balance" in _page(top_up["id"])


def test_what_is_not_paid_in_time_expires(purse: Purse) -> None:
    """Closed at the provider first; then it can no longer charge, and is EXPIRED."""
    never_sent = _top_up(purse)
    waiting = _top_up(purse, "pm_card_threeDSecure2Required")
    later = clock.now() + timedelta(days=9)
    PspOperation.objects.filter(charge__top_up=_row(never_sent)).update(due_at=later)
    purse.shop.work()
    assert _seen(purse, waiting)["top_up_status"] == "REQUIRES_ACTION"
    clock.move(seconds=DAY - 60)
    assert get_drain("top_ups").run() == 0
    clock.move(seconds=120)
    assert get_drain("top_ups").run() == 2
    assert get_drain("top_ups").run() == 0, "once"
    purse.shop.work()
    assert {_seen(purse, each)["top_up_status"] for each in (never_sent, waiting)} == {"EXPIRED"}
    assert purse.shop.captures() == [] and purse.left() == (0, 0)


@pytest.mark.parametrize("policy", ["refund", "accept"])
def test_late_money(purse: Purse, policy: str) -> None:
    """R6, R7 and R2: money for a top-up that failed goes back; by policy it is taken after all."""
    with transaction.atomic():
        scope = public_id("mer", purse.merchant_id)
        put_setting(name="payments.late_money", value=policy, actor="user:t", reason="t", scope=scope)
    top_up = _top_up(purse, "pm_card_chargeDeclined")
    purse.shop.work()
    assert _seen(purse, top_up)["top_up_status"] == "FAILED"
    client = purse.shop.provider.client(purse.shop.account_key).v1
    reference = Charge.objects.get().psp_reference
    client.payment_intents.confirm(reference, {"payment_method": "pm_card_visa"})
    (event,) = _provider_events(purse.shop)
    assert deliver(purse.shop, event) == 200
    process()
    purse.shop.work()
    seen = _seen(purse, top_up)
    if policy == "accept":
        assert (seen["top_up_status"], purse.left(), _legs()) == ("SUCCESS", (30_00, 0), ["top_up"])
        return
    assert (seen["top_up_status"], purse.left()) == ("FAILED", (0, 0))
    assert _legs() == ["overpayment"] and Charge.objects.get().refunded_minor == 30_00
    assert Case.objects.filter(kind="late_money").count() == 1
    assert "goes back to you" in _page(top_up["id"])


def test_a_slow_rail_is_pending_first(purse: Purse) -> None:
    """W1b: captured is not final there; the money is pending, then available, once."""
    Channel.objects.filter(pk=purse.shop.channel.id).update(capabilities={"top_up_clearing_hours": 48})
    top_up = _top_up(purse)
    purse.shop.work()
    seen = _seen(purse, top_up)
    assert (seen["top_up_status"], seen["available"]) == ("SUCCESS", False) and seen["available_at"]
    assert (purse.wallet().pending_minor, purse.left()) == (30_00, (0, 0))
    refused = purse.shop.store.post(
        "/v1/payments", purse.body(purse.shop.order("1.00")), key=uuid.uuid4().hex
    )
    assert error(refused) == (422, "insufficient_funds", None)
    clock.move(seconds=2 * DAY + 1)
    assert (get_drain("top_ups").run(), get_drain("top_ups").run()) == (1, 0)
    assert (purse.wallet().pending_minor, purse.left()) == (0, (30_00, 0))
    assert _seen(purse, top_up)["available"] and _legs() == ["top_up", "top_up_final"]
    assert _events(top_up)[-1] == "available"


@pytest.mark.parametrize("decision", ["decline", "review"])
def test_risk_decides_first(purse: Purse, decision: str) -> None:
    """Nobody waits for a top-up: what would be held is declined, before anything is sent."""
    enforce(purse.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision=decision, reason="no")
    top_up = _top_up(purse)
    assert (top_up["top_up_status"], top_up["risk"]) == ("FAILED", {"decision": decision})
    assert top_up["failure"]["code"] == "risk_declined"
    assert purse.shop.work() == 0 and not Charge.objects.exists()
    assert _events(top_up) == ["created", "failed"]


def test_a_kept_card_tops_up_again(purse: Purse) -> None:
    """The card is kept for the wallet's owner, and pays the next top-up by its id."""
    answer = _send(purse, credit_card_info={"token": "pm_card_visa", "save": True})
    purse.shop.work()
    assert _seen(purse, answer.json())["top_up_status"] == "SUCCESS"
    (kept,) = purse.shop.store.get(f"/v1/buyers/{purse.buyer}/payment_methods").json()["data"]
    again = _send(purse, credit_card_info={"payment_method_id": kept["id"]})
    purse.shop.work()
    assert _seen(purse, again.json())["top_up_status"] == "SUCCESS" and purse.left() == (60_00, 0)


def test_what_cannot_be_topped_up(purse: Purse) -> None:
    """Other wallets, other currencies, and wallets of nobody."""
    purse.give("bonus", 1_00)
    shop, card = purse.shop, {"credit_card_info": {"token": "pm_card_visa"}}
    bonus = f"/v1/wallets/{public_id('wal', purse.wallet('bonus').id)}/top_ups"
    sent = {"amount": "1.00", "currency": "USD"} | card
    refused = shop.store.post(bonus, sent, key=uuid.uuid4().hex)
    assert error(refused) == (422, "top_up_unsupported", None)
    other = _send(purse, currency="EUR", **card)
    assert error(other) == (422, "top_up_unsupported", "currency")
    nobody = shop.store.post(
        f"/v1/wallets/{public_id('wal', uuid.uuid4())}/top_ups", sent, key=uuid.uuid4().hex
    )
    assert error(nobody) == (404, "not_found", None)
    assert error(shop.store.get("/v1/top_ups/top_1"))[0] == 404
    assert not TopUp.objects.exists()


def _row(top_up: dict[str, Any]) -> TopUp:
    return next(row for row in TopUp.objects.all() if public_id("top", row.id) == top_up["id"])


def _get(path: str) -> Any:
    return Client().get(path)


def _page(reference: str) -> str:
    answer = _get(f"/pay/{reference}")
    assert answer.status_code == 200
    return str(answer.content.decode())
