"""Taking back what is not paid: at once where nothing was sent, otherwise when the provider closed it."""

import uuid
from typing import Any

import pytest

from core import failpoints
from core.models import OutboxEvent
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, PspOperation
from tests.payments.conftest import Shop
from tests.racing import race
from tests.store import error

CONFIRM, CREATE, CANCEL, QUERY = (
    f"payment_intents.{name}" for name in ("confirm", "create", "cancel", "retrieve")
)
THREE_DS = "pm_card_threeDSecure2Required"


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5


def cancel(shop: Shop, reference: str, *, what: str = "checkouts") -> Any:
    # Nothing needs to be said, so no body needs to be sent; in test_order_list_api.py there is one.
    return shop.store.post(f"/v1/{what}/{reference}/cancellations", None, key=uuid.uuid4().hex)


def canceled(shop: Shop, reference: str, **options: Any) -> dict[str, Any]:
    answer = cancel(shop, reference, **options)
    assert answer.status_code == 201, answer.content
    return answer.json()


def states(seen: dict[str, Any]) -> list[str]:
    return [order["payment_order_status"] for order in seen["payment_orders"]]


def operations() -> list[tuple[str, str]]:
    return list(PspOperation.objects.order_by("id").values_list("kind", "status"))


def intents(shop: Shop) -> list[str]:
    found = shop.provider.client(shop.account_key).v1.payment_intents.list()
    return [each.status for each in found.data]


def assert_canceled(shop: Shop, checkout_id: str) -> None:
    seen = shop.checkout(checkout_id)
    assert (seen["status"], seen["is_final"]) == ("canceled", True)
    assert set(states(seen)) == {"CANCELED"}
    assert all(order["cancel_requested"] and order["failure"] is None for order in seen["payment_orders"])
    assert not ChargeLine.objects.filter(live=True).exists()
    assert not PspOperation.objects.filter(due_at__isnull=False).exists()
    assert shop.captures() == []
    assert all(each == "canceled" for each in intents(shop)), intents(shop)


def test_what_was_never_sent_is_canceled_at_once(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    seen = canceled(shop, accepted["checkout_id"])
    assert (seen["object"], seen["status"], states(seen)) == ("checkout", "canceled", ["CANCELED"] * 2)
    shop.work()
    assert_canceled(shop, accepted["id"])
    assert shop.requests(CREATE) == []
    order = accepted["payment_orders"][0]["id"]
    told = list(OutboxEvent.objects.filter(subject=order).values_list("type", flat=True))
    assert sorted(told) == ["payment.canceled", "payment.created"]


def test_what_provably_did_not_arrive_is_canceled_at_once(shop: Shop) -> None:
    shop.arm("http_429", operation=CREATE, times=None)
    seen = shop.pay()
    assert operations() == [("register", "NOT_SENT")]
    assert states(canceled(shop, seen["id"])) == ["CANCELED", "CANCELED"]
    shop.cure()
    shop.later(3600)
    assert_canceled(shop, seen["id"])


def test_one_that_waits_for_the_buyer_is_closed_at_the_provider(shop: Shop) -> None:
    seen = shop.pay(shop.body(token=THREE_DS))
    asked = canceled(shop, seen["id"])
    assert states(asked) == ["REQUIRES_ACTION"] * 2, "not canceled before the provider has closed it"
    assert all(order["cancel_requested"] for order in asked["payment_orders"])
    shop.work()
    assert_canceled(shop, seen["id"])
    assert operations() == [("register", "SUCCEEDED"), ("confirm", "CANCELED"), ("expire", "SUCCEEDED")]
    assert Charge.objects.get().status == "CANCELED"
    assert shop.checkout(seen["id"])["next_action"] is None


def test_a_payment_that_was_not_confirmed_is_closed(shop: Shop) -> None:
    shop.arm("http_429", operation=CONFIRM, times=None)
    seen = shop.pay()
    assert operations() == [("register", "SUCCEEDED"), ("confirm", "NOT_SENT")]
    canceled(shop, seen["id"])
    shop.cure()
    shop.work()
    assert_canceled(shop, seen["id"])
    assert operations()[1:] == [("confirm", "CANCELED"), ("expire", "SUCCEEDED")]


def test_what_is_captured_meanwhile_is_paid(shop: Shop) -> None:
    """The money was taken and the answer lost; then the store cancels: SUCCESS wins."""
    shop.arm("charged_but_timeout", operation=CONFIRM)
    seen = shop.pay()
    assert Charge.objects.get().status == "UNKNOWN"
    assert states(canceled(shop, seen["id"])) == ["EXECUTING"] * 2
    shop.work()
    paid = shop.checkout(seen["id"])
    assert (paid["status"], paid["is_payment_done"]) == ("succeeded", True)
    assert len(shop.captures()) == 1
    assert shop.requests(CANCEL) == [], "asked first, and there was nothing left to close"
    assert error(cancel(shop, seen["id"]))[1] == "invalid_state"


def test_the_provider_cannot_close_what_was_paid_between_question_and_closing(shop: Shop) -> None:
    shop.arm("http_429", operation=CONFIRM, times=None)
    seen = shop.pay()
    canceled(shop, seen["id"])
    shop.cure()
    reference = Charge.objects.get().psp_reference
    shop.provider.client(shop.account_key).v1.payment_intents.confirm(
        reference, {"payment_method": "pm_card_visa"}
    )
    shop.work()
    assert shop.checkout(seen["id"])["status"] == "succeeded"
    assert operations()[1:] == [("confirm", "CANCELED"), ("expire", "DECLINED")]
    assert len(shop.captures()) == 1


def test_not_charged_and_silent_is_closed_not_sent_again(shop: Shop) -> None:
    shop.arm("not_charged_timeout", operation=CONFIRM)
    seen = shop.pay()
    canceled(shop, seen["id"])
    shop.work()
    assert_canceled(shop, seen["id"])
    assert len(shop.requests(CONFIRM)) == 1


def test_an_unknown_payment_is_not_canceled_by_guess(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation=CONFIRM)
    shop.arm("http_503", operation=QUERY, times=None)
    seen = shop.pay()
    canceled(shop, seen["id"])
    for _ in range(3):
        shop.later(60)
    assert states(shop.checkout(seen["id"])) == ["EXECUTING"] * 2
    shop.cure()
    shop.later(60)
    assert shop.checkout(seen["id"])["status"] == "succeeded"


@pytest.mark.parametrize("effect", [True, False])
def test_an_unknown_closing_is_asked_again(shop: Shop, effect: bool) -> None:
    seen = shop.pay(shop.body(token=THREE_DS))
    shop.arm("connection_reset_after_body", operation=CANCEL, effect=effect)
    canceled(shop, seen["id"])
    shop.work()
    assert operations()[-1] == ("expire", "UNKNOWN")
    assert states(shop.checkout(seen["id"])) == ["REQUIRES_ACTION"] * 2
    shop.later(20)
    assert_canceled(shop, seen["id"])
    assert len({each["idempotency_key"] for each in shop.requests(CANCEL)}) == 1


@pytest.mark.parametrize(("result", "end"), [("succeed", "SUCCESS"), ("fail", "CANCELED")])
def test_what_is_being_processed_comes_to_its_end_first(shop: Shop, result: str, end: str) -> None:
    seen = shop.pay(shop.body(token="pm_card_sandboxProcessing"))
    canceled(shop, seen["id"])
    shop.later(60)
    assert states(shop.checkout(seen["id"])) == ["EXECUTING"] * 2
    reference = Charge.objects.get().psp_reference
    shop.provider.control("POST", f"payment_intents/{reference}/settlement", {"result": result})
    shop.later(60)
    assert states(shop.checkout(seen["id"])) == [end] * 2
    assert len(shop.captures()) == (1 if end == "SUCCESS" else 0)


def test_a_contradiction_while_closing_is_for_people(shop: Shop) -> None:
    seen = shop.pay(shop.body(token=THREE_DS))
    shop.arm("not_charged_timeout", operation=CANCEL)
    canceled(shop, seen["id"])
    shop.work()
    nonce = PspOperation.objects.get(kind="expire").nonce
    other = {"amount": 5000, "currency": "usd", "payment_method_types": ["card"]}
    shop.provider.client(shop.account_key).v1.payment_intents.create(other, {"idempotency_key": nonce})
    shop.later(2)
    assert (Charge.objects.get().status, operations()[-1]) == ("CONFLICTED", ("expire", "CONFLICTED"))
    assert states(shop.checkout(seen["id"])) == ["EXECUTING"] * 2, "nothing is asked of the buyer any more"
    canceled(shop, seen["id"])
    shop.later(3600)
    assert Charge.objects.get().status == "CONFLICTED"


def test_a_decline_that_comes_after_the_wish_is_a_cancellation(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation=CONFIRM)
    seen = shop.pay(shop.body(token="pm_card_chargeDeclined"))
    assert states(canceled(shop, seen["id"])) == ["EXECUTING"] * 2
    shop.work()
    assert states(shop.checkout(seen["id"])) == ["CANCELED"] * 2
    assert Charge.objects.get().status == "DECLINED"


def test_again_with_another_key_changes_nothing(shop: Shop) -> None:
    seen = shop.pay(shop.body(token=THREE_DS))
    first, second = canceled(shop, seen["id"]), canceled(shop, seen["id"])
    assert first == second
    shop.work()
    third = canceled(shop, seen["id"])
    assert third["status"] == "canceled"
    assert PspOperation.objects.filter(kind="expire").count() == 1
    assert third == canceled(shop, seen["id"])


def test_what_is_final_is_not_canceled(shop: Shop) -> None:
    paid, failed = shop.pay(), shop.pay(shop.body(token="pm_card_chargeDeclined"))
    for seen in (paid, failed):
        assert error(cancel(shop, seen["id"])) == (409, "invalid_state", None)
        order = seen["payment_orders"][0]["id"]
        assert error(cancel(shop, order, what="payments")) == (409, "invalid_state", None)
        assert shop.checkout(seen["id"]) == seen


def test_one_of_several_orders_of_a_charge_is_not_canceled_alone(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    order = accepted["payment_orders"][0]["id"]
    assert error(cancel(shop, order, what="payments")) == (409, "order_shares_charge", None)
    assert shop.checkout(accepted["id"]) == shop.checkout(accepted["checkout_id"])
    shop.work()
    assert shop.checkout(accepted["id"])["status"] == "succeeded"


def test_the_only_order_of_a_checkout_is_canceled_by_itself(shop: Shop) -> None:
    accepted = shop.accept(shop.body(shop.order("5.00")))
    order = accepted["payment_orders"][0]
    seen = canceled(shop, order["payment_order_id"], what="payments")
    assert (seen["object"], seen["id"]) == ("payment_order", order["id"])
    assert (seen["payment_order_status"], seen["cancel_requested"]) == ("CANCELED", True)
    assert canceled(shop, order["id"], what="payments")["payment_order_status"] == "CANCELED"


@pytest.mark.parametrize("index", [0, 1])
def test_best_effort_cancels_one_and_pays_the_other(shop: Shop, index: int) -> None:
    """Also the one whose charge makes the token reusable for both."""
    accepted = shop.accept(shop.body(multi_order_policy="best_effort"))
    seen = canceled(shop, accepted["payment_orders"][index]["id"], what="payments")
    assert seen["payment_order_status"] == "CANCELED"
    shop.work()
    expected = ["SUCCESS", "SUCCESS"]
    expected[index] = "CANCELED"
    assert states(shop.checkout(accepted["id"])) == expected
    assert [row["amount"] for row in shop.captures()] == [[1000], [9000]][index]


def test_best_effort_as_a_whole_sends_nothing_more(shop: Shop) -> None:
    accepted = shop.accept(shop.body(multi_order_policy="best_effort"))
    assert states(canceled(shop, accepted["id"])) == ["CANCELED"] * 2
    shop.work()
    assert_canceled(shop, accepted["id"])
    assert shop.requests(CREATE) == []


@pytest.mark.parametrize("step", ["customer", "attach"])
def test_best_effort_while_the_token_is_made_reusable(shop: Shop, step: str) -> None:
    name = {"customer": "customers.create", "attach": "payment_methods.attach"}[step]
    shop.arm("http_503", operation=name, effect=True)
    accepted = shop.accept(shop.body(multi_order_policy="best_effort"))
    shop.work()
    assert operations()[-1] == (step, "UNKNOWN")
    assert states(canceled(shop, accepted["id"])) == ["CANCELED"] * 2
    shop.later(20)
    assert_canceled(shop, accepted["id"])
    assert shop.requests(CREATE) == []


def test_an_order_in_review_is_canceled_at_once(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    _hold_for_review(accepted["checkout_id"])
    assert shop.checkout(accepted["id"])["status"] == "in_review"
    assert states(canceled(shop, accepted["id"])) == ["CANCELED"] * 2
    shop.work()
    assert_canceled(shop, accepted["id"])
    assert shop.requests(CREATE) == []


def _hold_for_review(checkout_id: str) -> None:
    """As the risk decision at the door leaves a checkout: its orders wait, and no charge covers them."""
    from core.history import Changes
    from core.transactions import at_edge
    from payments.engine.closing import failure_of
    from payments.engine.facts import uncharged_fact
    from payments.locks import lock_checkout

    @at_edge
    def hold() -> None:
        key = PaymentEvent.objects.get(checkout_id=checkout_id).id
        scope = lock_checkout(checkout_id=key)
        assert scope is not None
        changes = Changes()
        ChargeLine.objects.filter(charge__checkout_id=key).update(live=False)
        for charge in scope.charges:
            for each in charge.operations:
                changes.move(each, each.to_canceled, why="held", error="held")
            changes.move(
                charge.charge,
                charge.charge.to_canceled,
                why="held",
                failure=failure_of(None, code="payment_canceled"),
            )
        for order in scope.orders:
            fact = uncharged_fact(scope.checkout, order, "in_review")
            changes.move(order, order.to_in_review, why="held", fact=fact)
        changes.save()

    hold()


def test_bad_requests_are_refused_by_name(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    for what, reference in (("checkouts", "c-nobody"), ("payments", "o-nobody")):
        assert error(cancel(shop, reference, what=what))[:2] == (404, "not_found")
    path = f"/v1/checkouts/{accepted['id']}/cancellations"
    assert shop.store.post(path, {}).status_code == 400
    assert shop.store.post(path, {"reason": "x"}, key="k").status_code == 422
    assert shop.store.get(path).status_code == 405
    assert PaymentOrder.objects.filter(status="NOT_STARTED").count() == 2


PLACES = ["before_intent", "after_intent", "after_effect", "before_commit", "after_commit"]


@pytest.mark.parametrize("kind", ["register", "confirm"])
@pytest.mark.parametrize("place", PLACES)
def test_canceled_while_the_worker_is_at_any_place(shop: Shop, place: str, kind: str) -> None:
    """Either CANCELED with nothing taken, or SUCCESS with one capture; never both."""
    accepted = shop.accept(shop.body())
    failpoints.arm(f"execute.{place}.{kind}", "delay", milliseconds="300")
    _, answer = race([shop.work, lambda: _when_there(shop, accepted["id"], f"execute.{place}.{kind}")])
    assert answer.status_code in (201, 409), answer.content
    for _ in range(3):
        shop.later(40)
    seen = shop.checkout(accepted["id"])
    taken = len(shop.captures())
    assert (seen["status"], taken) in (("canceled", 0), ("succeeded", 1))
    if answer.status_code == 409:
        assert taken == 1
    if taken == 0:
        assert_canceled(shop, accepted["id"])


def _when_there(shop: Shop, reference: str, place: str) -> Any:
    from tests.waiting import eventually

    eventually(lambda: failpoints.fired(place), what=place, every=0.01)
    return cancel(shop, reference)


@pytest.mark.parametrize("kind", ["register", "confirm"])
@pytest.mark.parametrize("place", PLACES)
def test_canceled_after_the_worker_broke_at_any_place(
    shop: Shop, owner_sql: Any, place: str, kind: str
) -> None:
    """As before, but what the worker had in hand is found by its lease."""
    accepted = shop.accept(shop.body())
    failpoints.arm(f"execute.{place}.{kind}", "raise")
    shop.work()
    assert failpoints.fired(f"execute.{place}.{kind}")
    answer = cancel(shop, accepted["id"])
    assert answer.status_code in (201, 409)
    for _ in range(6):
        owner_sql("UPDATE payments_pspoperation SET leased_until = NULL WHERE due_at IS NOT NULL")
        shop.later(31)
    seen = shop.checkout(accepted["id"])
    taken = len(shop.captures())
    assert (seen["status"], taken) in (("canceled", 0), ("succeeded", 1))
    if taken == 0:
        assert_canceled(shop, accepted["id"])


def test_two_cancellations_and_the_worker_at_once(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    race([shop.work, *[lambda: cancel(shop, accepted["id"])] * 4])
    for _ in range(2):
        shop.later(40)
    seen = shop.checkout(accepted["id"])
    assert (seen["status"], len(shop.captures())) in (("canceled", 0), ("succeeded", 1))
    assert PspOperation.objects.filter(kind="expire").count() <= 1
