"""POST /v1/checkouts/{id}/attempts: what failed is paid again, once, and nothing else is."""

import uuid
from typing import Any

import pytest

from core.models import OutboxEvent
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.engine import attempts
from payments.locks import CheckoutScope
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder
from tests.payments.conftest import Shop
from tests.racing import race
from tests.store import error

pytestmark = pytest.mark.usefixtures("hooks")

DECLINED = "pm_card_chargeDeclined"
VISA = {"credit_card_info": {"token": "pm_card_visa"}}


def attempt(shop: Shop, reference: str, body: Any = None, key: str | None = None) -> Any:
    path = f"/v1/checkouts/{reference}/attempts"
    return shop.store.post(path, VISA if body is None else body, key=key or uuid.uuid4().hex)


def refused(shop: Shop, reference: str, body: Any = None) -> str:
    """The code of a refusal that changed nothing."""
    before = list(Charge.objects.values_list("id", "status"))
    answer = attempt(shop, reference, body)
    assert answer.status_code in (409, 422, 400, 404), answer.content
    assert list(Charge.objects.values_list("id", "status")) == before
    return str(error(answer)[1])


def failed(shop: Shop, **other: Any) -> dict[str, Any]:
    """A checkout whose card was declined."""
    seen = shop.pay(shop.body(token=DECLINED, **other))
    assert seen["status"] == "failed"
    return seen


def states(seen: dict[str, Any]) -> list[str]:
    return [order["payment_order_status"] for order in seen["payment_orders"]]


def test_another_card_pays_what_the_first_one_did_not(shop: Shop) -> None:
    seen = failed(shop)
    answer = attempt(shop, seen["checkout_id"])
    assert answer.status_code == 201, answer.content
    begun = answer.json()
    assert (begun["object"], begun["id"], begun["status"]) == ("checkout", seen["id"], "open")
    assert states(begun) == ["NOT_STARTED", "NOT_STARTED"]
    assert [order["failure"] for order in begun["payment_orders"]] == [None, None]
    shop.work()
    paid = shop.checkout(seen["id"])
    assert (paid["status"], paid["is_payment_done"]) == ("succeeded", True)
    assert [row["amount"] for row in shop.captures()] == [10000]
    assert list(Charge.objects.order_by("id").values_list("status", flat=True)) == ["DECLINED", "CAPTURED"]
    assert ChargeLine.objects.filter(live=True).count() == 2
    assert JournalEntry.objects.filter(source="charge").count() == 1
    order = seen["payment_orders"][0]["id"]
    told = OutboxEvent.objects.filter(subject=order).order_by("sequence").values_list("type", flat=True)
    assert [each.partition(".")[2] for each in told] == [
        *("created", "executing", "failed"),
        *("retried", "executing", "succeeded"),
    ]


def test_it_may_fail_again_and_again(shop: Shop) -> None:
    seen = failed(shop)
    for _ in range(3):
        assert attempt(shop, seen["id"], {"credit_card_info": {"token": DECLINED}}).status_code == 201
        shop.work()
        assert shop.checkout(seen["id"])["status"] == "failed"
    assert attempt(shop, seen["id"]).status_code == 201
    shop.work()
    assert shop.checkout(seen["id"])["status"] == "succeeded"
    assert Charge.objects.count() == 5
    assert len(shop.captures()) == 1


def test_best_effort_pays_only_what_failed(shop: Shop) -> None:
    orders = shop.order("0.01"), shop.order("10.00", "bob"), shop.order("0.02")
    seen = shop.pay(shop.body(*orders, multi_order_policy="best_effort"))
    assert states(seen) == ["FAILED", "SUCCESS", "FAILED"]
    assert attempt(shop, seen["id"]).status_code == 201
    shop.work()
    assert states(shop.checkout(seen["id"])) == ["FAILED", "SUCCESS", "FAILED"]  # Still too small.
    assert sorted(Charge.objects.values_list("amount_minor", flat=True)) == [1, 1, 2, 2, 1000]
    assert [row["amount"] for row in shop.captures()] == [1000]


def test_best_effort_with_two_failed_orders_makes_the_new_card_reusable(shop: Shop) -> None:
    body = shop.body(shop.order("90.00"), shop.order("10.00", "bob"), token="pm_card_chargeCustomerFail")
    seen = shop.pay(body | {"multi_order_policy": "best_effort"})
    assert states(seen) == ["FAILED", "FAILED"]
    assert attempt(shop, seen["id"]).status_code == 201
    shop.work()
    assert states(shop.checkout(seen["id"])) == ["SUCCESS", "SUCCESS"]
    assert sorted(row["amount"] for row in shop.captures()) == [1000, 9000]


def test_what_is_refused_and_by_which_name(shop: Shop) -> None:
    waiting = shop.accept(shop.body())
    assert refused(shop, waiting["id"]) == "attempt_in_progress"
    shop.work()
    assert refused(shop, waiting["id"]) == "order_already_paid"
    action = shop.pay(shop.body(token="pm_card_threeDSecure2Required"))
    assert refused(shop, action["id"]) == "attempt_in_progress"
    canceled = shop.accept(shop.body())
    path = f"/v1/checkouts/{canceled['id']}/cancellations"
    assert shop.store.post(path, {}, key=uuid.uuid4().hex).status_code == 201
    assert refused(shop, canceled["id"]) == "invalid_state"
    assert refused(shop, "c-nobody") == "not_found"


def test_a_body_that_makes_no_sense_is_refused(shop: Shop) -> None:
    seen = failed(shop)
    refusals = [
        ({"payment_method": "card"}, "field_missing"),
        ({**VISA, "payment_method": "hosted_page"}, "payment_method_conflict"),
        ({"payment_method": "qr"}, "payment_method_unavailable"),
        ({"payment_method": "balance"}, "buyer_account_required"),
        ({**VISA, "return_url": "javascript:alert(1)"}, "field_invalid"),
        ({**VISA, "amount": "1.00"}, "unknown_field"),
        ({"credit_card_info": {"token": "4242424242424242"}}, "card_number_refused"),
    ]
    for body, code in refusals:
        answer = attempt(shop, seen["id"], body)
        assert 400 <= answer.status_code < 500, (body, answer.content)
        assert error(answer)[1] == code or code in ("field_missing", "field_invalid", "card_number_refused")
    assert Charge.objects.count() == 1


def test_the_key_is_required_and_makes_it_once(shop: Shop) -> None:
    seen = failed(shop)
    assert shop.store.post(f"/v1/checkouts/{seen['id']}/attempts", VISA).status_code == 400
    first, again = attempt(shop, seen["id"], key="k"), attempt(shop, seen["id"], key="k")
    assert (first.status_code, first.content) == (again.status_code, again.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert Charge.objects.count() == 2


def test_another_merchant_finds_nothing(shop: Shop, provider: Any) -> None:
    from tests.payments.conftest import open_shop

    seen = failed(shop)
    assert refused(open_shop(provider, provider.url), seen["id"]) == "not_found"


def test_after_its_time_no_attempt_begins(shop: Shop) -> None:
    seen = failed(shop)
    shop.later(24 * 3600 + 1)
    assert refused(shop, seen["id"]) == "checkout_expired"


def test_the_return_url_is_replaced_or_kept(shop: Shop) -> None:
    seen = failed(shop, return_url="https://store.example/a")
    assert attempt(shop, seen["id"], {"credit_card_info": {"token": DECLINED}}).status_code == 201
    assert PaymentEvent.objects.get().return_url == "https://store.example/a"
    shop.work()
    assert attempt(shop, seen["id"], {**VISA, "return_url": "https://store.example/b"}).status_code == 201
    checkout = PaymentEvent.objects.get()
    assert (checkout.return_url, checkout.token) == ("https://store.example/b", "pm_card_visa")


def test_thirty_keys_at_once_are_one_attempt_a_d4(shop: Shop) -> None:
    """Thirty keys for one checkout: one live charge, and every other one is told so."""
    seen = failed(shop)
    answers = race([lambda: attempt(shop, seen["id"])] * 30, seconds=60)
    codes = sorted("201" if each.status_code == 201 else str(error(each)[1]) for each in answers)
    assert codes == ["201", *["attempt_in_progress"] * 29]
    assert ChargeLine.objects.filter(live=True).count() == 2
    assert Charge.objects.exclude(status="DECLINED").count() == 1
    shop.work()
    assert len(shop.captures()) == 1
    assert refused(shop, seen["id"]) == "order_already_paid"


def test_without_the_lock_the_database_refuses_the_second(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: who looks without a lock sees the failed order twice; one live line an order remains."""
    seen = failed(shop)
    shop.store.raise_errors = False
    monkeypatch.setattr(attempts, "lock_checkout", _unlocked)
    answers = race([lambda: attempt(shop, seen["id"])] * 4)
    statuses = [each.status_code for each in answers]
    assert statuses.count(201) == 1
    assert 500 in statuses, statuses
    assert ChargeLine.objects.filter(live=True).count() == 2


def _unlocked(*, checkout_id: uuid.UUID) -> CheckoutScope:
    """What `lock_checkout` returns, but nobody waits for anybody."""
    import time

    checkout = PaymentEvent.objects.get(id=checkout_id)
    orders = list(PaymentOrder.objects.filter(checkout=checkout).order_by("position"))
    time.sleep(0.2)
    return CheckoutScope(checkout, orders, [])


def test_two_keys_accept_one_checkout_once(shop: Shop) -> None:
    """Two keys for one new checkout: one is accepted, the other is told that it exists."""
    body = shop.body()
    posts = [lambda: shop.store.post("/v1/payments", body, key=uuid.uuid4().hex)] * 2
    answers = race(posts)
    codes = sorted("201" if each.status_code == 201 else str(error(each)[1]) for each in answers)
    assert codes == ["201", "checkout_exists"]
    assert ChargeLine.objects.filter(live=True).count() == 2
    shop.work()
    assert len(shop.captures()) == 1


def test_an_attempt_while_the_first_payment_is_made(shop: Shop) -> None:
    """Whoever tries again while the worker still charges is refused."""
    seen = shop.accept(shop.body())
    race([shop.work, *[lambda: attempt(shop, seen["id"])] * 4])
    shop.work()
    assert shop.checkout(seen["id"])["status"] == "succeeded"
    assert len(shop.captures()) == 1


def test_an_order_moves_only_by_its_own_attempt_f_c5(shop: Shop) -> None:
    """What the old charge's provider still says after a new one paid is of no consequence."""
    from tests.payments.deliveries import deliver, process, told

    seen = failed(shop)
    old = Charge.objects.get()
    assert attempt(shop, seen["id"]).status_code == 201
    shop.work()
    paid = shop.checkout(seen["id"])
    events = told(shop, seen["checkout_id"])
    about_old = [each for each in events if each["data"]["object"]["id"] == old.psp_reference]
    assert [each["type"] for each in about_old] == [
        "payment_intent.created",
        "payment_intent.payment_failed",
    ]
    for number, event in enumerate([*about_old, *about_old]):
        assert deliver(shop, event, id=f"evt_{uuid.uuid4().hex}{number}") == 200
    process()
    shop.work()
    assert shop.checkout(seen["id"]) == paid
    old.refresh_from_db()
    assert old.status == "DECLINED"


def test_a_locked_checkout_is_whole(shop: Shop) -> None:
    """Charges, operations, lines and orders of one checkout, and of no other one."""
    from payments.locks import lock_checkout

    seen = failed(shop)
    shop.accept(shop.body())
    attempt(shop, seen["id"])
    checkout = PaymentEvent.objects.get(checkout_id=seen["checkout_id"])

    @at_edge
    def look() -> CheckoutScope | None:
        return lock_checkout(checkout_id=checkout.id)

    scope = look()
    assert scope is not None
    assert [len(each.operations) for each in scope.charges] == [2, 1]
    assert [len(each.lines) for each in scope.charges] == [2, 2]
    assert [scope.charge_of(order) for order in scope.orders] == [scope.charges[1]] * 2
    assert scope.charges[0].covered == []
