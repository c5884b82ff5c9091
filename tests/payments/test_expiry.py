"""What is not paid in time is closed: at once where nothing was sent, at the provider otherwise."""

import uuid
from typing import Any

import pytest

from core import clock
from core.drain import get_drain
from core.models import DeadLetter, OutboxEvent
from core.transactions import at_edge
from payments import drains
from payments.engine.expiry import due_checkouts, replay_expiry
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, PspOperation
from tests.payments.conftest import Shop
from tests.payments.test_cancellations import _hold_for_review, cancel, intents, operations, states
from tests.racing import race
from tests.store import error

CONFIRM, CREATE, CANCEL, QUERY = (
    f"payment_intents.{name}" for name in ("confirm", "create", "cancel", "retrieve")
)
DAY = 24 * 3600


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5


def expire(seconds: int = DAY + 1) -> int:
    """Let time pass, and the pass over what is due then; nothing is sent yet."""
    clock.move(seconds=seconds)
    return get_drain("expiry").run()


def assert_expired(shop: Shop, checkout_id: str) -> None:
    seen = shop.checkout(checkout_id)
    assert (seen["status"], seen["is_final"]) == ("expired", True)
    assert set(states(seen)) == {"EXPIRED"}
    assert not any(order["cancel_requested"] or order["failure"] for order in seen["payment_orders"])
    assert not ChargeLine.objects.filter(live=True).exists()
    assert not PspOperation.objects.filter(due_at__isnull=False).exists()
    assert shop.captures() == []
    assert all(each == "canceled" for each in intents(shop)), intents(shop)


def test_a_checkout_lives_a_day(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    checkout = PaymentEvent.objects.get()
    assert checkout.expires_at - checkout.created_at == clock.timedelta(hours=24)
    assert expire(DAY - 10) == 0
    assert states(shop.checkout(accepted["id"])) == ["NOT_STARTED"] * 2
    assert expire(11) == 1
    assert expire(0) == 0, "once"


def test_what_was_never_sent_expires_at_once(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    expire()
    assert_expired(shop, accepted["id"])
    shop.work()
    assert_expired(shop, accepted["id"])
    assert shop.requests(CREATE) == []
    assert Charge.objects.get().status == "CANCELED", "the provider never heard of it"
    order = accepted["payment_orders"][0]["id"]
    told = OutboxEvent.objects.filter(subject=order).order_by("sequence")
    assert [each.type for each in told] == ["payment.created", "payment.expired"]
    assert told[1].payload["object"]["payment_order_status"] == "EXPIRED"


def test_one_that_waits_for_the_buyer_is_closed_at_the_provider(shop: Shop) -> None:
    seen = shop.pay(shop.body(token="pm_card_threeDSecure2Required"))
    expire()
    assert states(shop.checkout(seen["id"])) == ["REQUIRES_ACTION"] * 2, "not before the provider closed it"
    shop.work()
    assert_expired(shop, seen["id"])
    assert Charge.objects.get().status == "EXPIRED"
    assert operations()[1:] == [("confirm", "CANCELED"), ("expire", "SUCCEEDED")]


@pytest.mark.parametrize("fault", ["charged_but_timeout", "not_charged_timeout"])
def test_an_unknown_outcome_is_asked_about_never_expired_by_guess(shop: Shop, fault: str) -> None:
    shop.arm(fault, operation=CONFIRM)
    shop.arm("http_503", operation=QUERY, times=None)
    seen = shop.pay()
    expire()
    for _ in range(3):
        shop.later(600)
    assert states(shop.checkout(seen["id"])) == ["EXECUTING"] * 2
    shop.cure()
    shop.later(600)
    if fault == "charged_but_timeout":
        assert shop.checkout(seen["id"])["status"] == "succeeded"
        assert shop.requests(CANCEL) == []
    else:
        assert_expired(shop, seen["id"])
        assert len(shop.requests(CONFIRM)) == 1


@pytest.mark.parametrize(("result", "end"), [("succeed", "SUCCESS"), ("fail", "FAILED")])
def test_what_is_being_processed_comes_to_its_end(shop: Shop, result: str, end: str) -> None:
    seen = shop.pay(shop.body(token="pm_card_sandboxProcessing"))
    expire()
    shop.later(60)
    assert states(shop.checkout(seen["id"])) == ["EXECUTING"] * 2
    reference = Charge.objects.get().psp_reference
    shop.provider.control("POST", f"payment_intents/{reference}/settlement", {"result": result})
    shop.later(3600)
    assert states(shop.checkout(seen["id"])) == [end] * 2


def test_an_order_in_review_expires_at_once(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    _hold_for_review(accepted["checkout_id"])
    expire()
    assert_expired(shop, accepted["id"])


def test_best_effort_expires_what_is_open_and_leaves_what_is_paid(shop: Shop) -> None:
    orders = shop.order("10.00", "bob"), shop.order("0.01")
    seen = shop.pay(shop.body(*orders, multi_order_policy="best_effort"))
    assert states(seen) == ["SUCCESS", "FAILED"]
    assert expire() == 1, "looked at once more, and never again"
    assert (shop.checkout(seen["id"]), expire(0)) == (seen, 0)


def test_what_is_paid_is_not_looked_at(shop: Shop) -> None:
    seen = shop.pay()
    assert (expire(), shop.checkout(seen["id"])) == (0, seen)


def test_what_the_store_canceled_ends_canceled(shop: Shop) -> None:
    """The wish came first; the provider closes it after its time was over."""
    seen = shop.pay(shop.body(token="pm_card_threeDSecure2Required"))
    assert cancel(shop, seen["id"]).status_code == 201
    expire()
    shop.work()
    assert states(shop.checkout(seen["id"])) == ["CANCELED"] * 2
    assert PspOperation.objects.filter(kind="expire").count() == 1


def test_an_expired_checkout_takes_no_attempt_and_no_cancellation(shop: Shop) -> None:
    from tests.payments.test_attempts import attempt

    seen = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    expire()
    assert error(attempt(shop, seen["id"]))[1] == "checkout_expired"
    other = shop.accept(shop.body())
    expire()
    assert error(cancel(shop, other["id"])) == (409, "invalid_state", None)


def test_many_are_closed_in_portions(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(7):
        shop.accept(shop.body(shop.order("5.00")))
    portions: list[int] = []

    def portion() -> list[uuid.UUID]:
        found = due_checkouts(limit=3)
        portions.append(len(found))
        return found

    monkeypatch.setattr(drains, "due_checkouts", portion)
    assert expire() == 7
    assert portions == [3, 3, 1, 0]
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"EXPIRED"}


def test_two_passes_at_once_expire_once(shop: Shop) -> None:
    for _ in range(4):
        shop.accept(shop.body())
    clock.move(seconds=DAY + 1)
    race([get_drain("expiry").run] * 3)
    assert OutboxEvent.objects.filter(type="payment.expired").count() == 8
    assert set(PaymentOrder.objects.values_list("status", flat=True)) == {"EXPIRED"}


def test_expiry_and_the_worker_at_once(shop: Shop) -> None:
    """What is still sent a day late: paid once, or expired with nothing taken."""
    accepted = [shop.accept(shop.body()) for _ in range(4)]
    clock.move(seconds=DAY + 1)
    race([shop.work, get_drain("expiry").run])
    for _ in range(2):
        shop.later(60)
    ends = [shop.checkout(each["id"])["status"] for each in accepted]
    assert set(ends) <= {"succeeded", "expired"}
    assert len(shop.captures()) == ends.count("succeeded")


def test_one_that_breaks_is_buried_and_the_others_go_on(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, fine = shop.accept(shop.body()), shop.accept(shop.body())
    real = drains.expire_checkout

    def breaks(*, checkout_id: uuid.UUID) -> None:
        if str(PaymentEvent.objects.get(id=checkout_id).checkout_id) == broken["checkout_id"]:
            raise RuntimeError("armed")
        real(checkout_id=checkout_id)

    monkeypatch.setattr(drains, "expire_checkout", breaks)
    assert expire() == 2
    assert states(shop.checkout(fine["id"])) == ["EXPIRED"] * 2
    assert states(shop.checkout(broken["id"])) == ["NOT_STARTED"] * 2
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.subject) == ("expiry", broken["id"])
    monkeypatch.setattr(drains, "expire_checkout", real)
    at_edge(replay_expiry)(letter)
    assert expire(0) == 1
    assert states(shop.checkout(broken["id"])) == ["EXPIRED"] * 2


def test_a_payment_made_late_because_it_was_open_is_late_money(shop: Shop) -> None:
    """Expired here while nothing was sent; whoever pays what is closed gets it back."""
    seen = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    expire()
    from tests.payments.test_late_money import assert_given_back, late

    late(shop, seen, Charge.objects.get())
    shop.work()
    assert_given_back(shop, Charge.objects.get())
