"""A page that nobody wants any more: taken back by the store, out of time, or paid again after a failure."""

import uuid
from typing import Any

import pytest

from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from tests.payments.conftest import Shop, hosted

CREATE, EXPIRE = "checkout.sessions.create", "checkout.sessions.expire"
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved; only the worker opens pages."""
    settings.PSP_READ_TIMEOUT = 0.5
    settings.INLINE_REGISTRATIONS = 0


def orders() -> set[str]:
    return set(PaymentOrder.objects.values_list("status", flat=True))


def page_at_provider(shop: Shop) -> Any:
    sessions = shop.provider.client(shop.account_key).v1.checkout.sessions
    return sessions.retrieve(Charge.objects.get().session_reference)


def cancel(shop: Shop, checkout: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/checkouts/{checkout['id']}/cancellations"
    answer = shop.store.post(path, {}, key=uuid.uuid4().hex)
    assert answer.status_code == 201, answer.content
    return answer.json()


def buy(shop: Shop, token: str = "pm_card_visa") -> None:
    path = f"checkout_sessions/{Charge.objects.latest('id').session_reference}/payment"
    shop.provider.control("POST", path, {"token": token})


def test_an_open_page_is_closed_before_the_orders_are_canceled(shop: Shop) -> None:
    seen = shop.pay(hosted(shop))
    cancel(shop, seen)
    assert orders() == {"REQUIRES_ACTION"}, "not before the provider said so"
    shop.later(2)
    assert (orders(), page_at_provider(shop).status) == ({"CANCELED"}, "expired")
    assert Charge.objects.get().status == "CANCELED"
    assert not ChargeLine.objects.filter(live=True).exists()
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["next_action"]) == ("canceled", None)
    assert not PspOperation.objects.filter(due_at__isnull=False).exists()


def test_a_page_that_was_never_opened_is_canceled_at_once(shop: Shop) -> None:
    seen = shop.accept(hosted(shop))
    cancel(shop, seen)
    assert orders() == {"CANCELED"}
    shop.later(60)
    assert shop.requests() == []


def test_money_that_was_paid_meanwhile_wins(shop: Shop) -> None:
    seen = shop.pay(hosted(shop))
    buy(shop)
    cancel(shop, seen)
    shop.later(20)
    assert (orders(), len(shop.captures()), shop.checkout(seen["id"])["status"]) == (
        {"SUCCESS"},
        1,
        "succeeded",
    )


def test_a_page_that_was_perhaps_opened_is_found_and_closed(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation=CREATE)
    seen = shop.pay(hosted(shop))
    cancel(shop, seen)
    for _ in range(3):
        shop.later(20)
    assert (orders(), page_at_provider(shop).status) == ({"CANCELED"}, "expired")
    assert len({each["idempotency_key"] for each in shop.requests(CREATE)}) == 1


@pytest.mark.parametrize("kind", ["charged_but_timeout", "not_charged_timeout", "http_503"])
def test_a_closing_without_an_answer(shop: Shop, kind: str) -> None:
    """Closed in the end, once, and never by guess."""
    seen = shop.pay(hosted(shop))
    shop.arm(kind, operation=EXPIRE)
    cancel(shop, seen)
    shop.work()
    for _ in range(4):
        shop.later(20)
    assert (orders(), page_at_provider(shop).status) == ({"CANCELED"}, "expired")


def test_a_page_that_nobody_paid_in_time(shop: Shop) -> None:
    from core.drain import get_drain

    seen = shop.pay(hosted(shop))
    buy(shop, "pm_card_chargeDeclined")
    shop.later(DAY + 60)
    get_drain("expiry").run()
    for _ in range(3):
        shop.later(20)
    assert (orders(), Charge.objects.get().status) == ({"EXPIRED"}, "EXPIRED")
    assert page_at_provider(shop).status == "expired"
    assert shop.checkout(seen["id"])["status"] == "expired"
    assert shop.captures() == []


@pytest.mark.parametrize("first", ["card", "page"])
def test_what_failed_is_paid_on_a_new_page(shop: Shop, first: str) -> None:
    if first == "card":
        seen = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    else:
        seen = shop.pay(hosted(shop))
        buy(shop, "pm_card_sandboxProcessing")
        shop.later(2)
        path = f"payment_intents/{Charge.objects.get().psp_reference}/settlement"
        shop.provider.control("POST", path, {"result": "fail"})
        shop.later(20)
    assert orders() == {"FAILED"}
    answer = shop.store.post(f"/v1/checkouts/{seen['id']}/attempts", {}, key=uuid.uuid4().hex)
    assert answer.status_code == 201, answer.content
    shop.later(2)
    assert orders() == {"REQUIRES_ACTION"}
    buy(shop)
    shop.later(2)
    assert (orders(), len(shop.captures())) == ({"SUCCESS"}, 1)
