"""How a payment ends when the provider says yes, no, later, or nothing that can be trusted.

The provider's own journal is the judge: what it took is what our books say, and never twice.
"""

import json
from typing import Any

import pytest

from channels.breaker import forget, is_open
from core import clock
from core.models import Case, DeadLetter, StatusChange
from core.transactions import at_edge
from ledger.models import JournalEntry
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from payments.services import probe_silent_channels
from tests.payments.conftest import Shop, open_shop
from tests.waiting import eventually

CONFIRM, CREATE, CANCEL, QUERY = (
    f"payment_intents.{name}" for name in ("confirm", "create", "cancel", "retrieve")
)


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    """Silence is given up after half a second; the clock can be moved."""
    settings.PSP_READ_TIMEOUT = 0.5


def operation(kind: str) -> PspOperation:
    return PspOperation.objects.filter(kind=kind).latest("id")


def orders() -> set[str]:
    return set(PaymentOrder.objects.values_list("status", flat=True))


def charge() -> Charge:
    return Charge.objects.get()


def assert_paid_once(shop: Shop, checkout_id: str) -> None:
    seen = shop.checkout(checkout_id)
    assert (seen["status"], seen["is_payment_done"]) == ("succeeded", True)
    assert len(shop.captures()) == 1
    assert JournalEntry.objects.filter(source="charge").count() == 1
    assert charge().status == "CAPTURED"


def assert_nothing_posted() -> None:
    assert not JournalEntry.objects.exists()
    assert not PaymentOrder.objects.filter(captured_minor__gt=0).exists()


@pytest.mark.parametrize(
    ("token", "code", "decline_code", "retryable"),
    [
        ("pm_card_chargeDeclined", "card_declined", "generic_decline", True),
        ("pm_card_chargeDeclinedInsufficientFunds", "insufficient_funds", "insufficient_funds", True),
        ("pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card", True),
        ("pm_card_chargeDeclinedIncorrectCvc", "incorrect_cvc", "incorrect_cvc", True),
        ("pm_card_chargeDeclinedProcessingError", "processing_error", "processing_error", True),
        (
            "pm_card_chargeDeclinedVelocityLimitExceeded",
            "card_limit_exceeded",
            "card_velocity_exceeded",
            True,
        ),
        ("pm_card_chargeDeclinedStolenCard", "fraud_suspected", "stolen_card", False),
        ("pm_card_chargeDeclinedFraudulent", "fraud_suspected", "fraudulent", False),
    ],
)
def test_a_decline_fails_the_orders_with_its_reason(
    shop: Shop, token: str, code: str, decline_code: str, retryable: bool
) -> None:
    seen = shop.pay(shop.body(token=token))
    assert (seen["status"], seen["is_final"], seen["is_payment_done"]) == ("failed", True, False)
    for order in seen["payment_orders"]:
        assert order["payment_order_status"] == "FAILED"
        failure = order["failure"]
        assert set(failure) == {"code", "message", "decline_code", "retryable"}
        assert (failure["code"], failure["retryable"]) == (code, retryable)
        assert failure["decline_code"] == decline_code
    assert charge().status == "DECLINED"
    assert not ChargeLine.objects.filter(live=True).exists()
    assert shop.captures() == []
    assert_nothing_posted()


def test_a_token_that_does_not_exist_is_a_final_refusal(shop: Shop) -> None:
    seen = shop.pay(shop.body(token="pm_nobody"))
    assert seen["payment_orders"][0]["failure"]["code"] == "invalid_payment_method"
    assert_nothing_posted()


def test_an_amount_that_the_provider_does_not_take_is_a_final_refusal(shop: Shop) -> None:
    seen = shop.pay(shop.body(shop.order("0.01")))
    assert seen["payment_orders"][0]["failure"]["code"] == "amount_not_supported"
    assert charge().status == "CANCELED"
    assert_nothing_posted()


@pytest.mark.parametrize(
    ("result", "status", "state"), [("complete", "succeeded", "SUCCESS"), ("fail", "failed", "FAILED")]
)
def test_three_d_secure_waits_for_the_buyer(shop: Shop, result: str, status: str, state: str) -> None:
    seen = shop.pay(shop.body(token="pm_card_threeDSecure2Required"))
    assert (seen["status"], seen["is_final"]) == ("requires_action", False)
    assert seen["next_action"]["type"] == "redirect_to_url"
    assert seen["next_action"]["url"].startswith(shop.provider.url)
    assert orders() == {"REQUIRES_ACTION"}

    shop.later(2)
    assert orders() == {"REQUIRES_ACTION"}
    shop.provider.control(
        "POST", f"payment_intents/{charge().psp_reference}/authentication", {"result": result}
    )
    shop.later(10)
    seen = shop.checkout(seen["id"])
    assert (seen["status"], seen["next_action"], orders()) == (status, None, {state})
    assert len(shop.captures()) == (1 if state == "SUCCESS" else 0)


@pytest.mark.parametrize(("result", "state"), [("succeed", "SUCCESS"), ("fail", "FAILED")])
def test_a_pending_payment_ends_when_the_provider_ends_it(shop: Shop, result: str, state: str) -> None:
    shop.pay(shop.body(token="pm_card_sandboxProcessing"))
    assert (orders(), charge().status) == ({"EXECUTING"}, "PENDING")
    shop.later(2)
    assert operation("confirm").status == "PENDING"
    shop.provider.control("POST", f"payment_intents/{charge().psp_reference}/settlement", {"result": result})
    shop.later(10)
    assert orders() == {state}
    assert len(shop.captures()) == (1 if state == "SUCCESS" else 0)


def test_charged_and_silent_is_unknown_until_asked_f_a5(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation=CONFIRM)
    seen = shop.pay()
    assert (seen["status"], seen["is_final"]) == ("processing", False)
    assert (charge().status, operation("confirm").status) == ("UNKNOWN", "UNKNOWN")
    assert len(shop.captures()) == 1, "the provider took the money"
    assert_nothing_posted()
    shop.later(2)
    assert_paid_once(shop, seen["id"])
    assert len(shop.requests(CONFIRM)) == 1, "asking was enough"


def _silent_for_an_hour(shop: Shop, count: int) -> list[dict[str, Any]]:
    """Payments that the provider took, asked about so often in vain that minutes lie between two looks."""
    shop.arm("charged_but_timeout", operation=CONFIRM, times=None)
    shop.arm("http_503", operation=QUERY, times=None)
    seen = [shop.accept(shop.body()) for _ in range(count)]
    shop.work()
    shop.cure()
    forget()  # Another process than the one that saw the provider fail.
    clock.move(seconds=20)
    unknown = PspOperation.objects.filter(kind="confirm", status="UNKNOWN")
    assert unknown.update(asked=130, due_at=clock.now() + clock.timedelta(seconds=300)) == count
    return seen


def test_one_question_finds_out_that_a_silent_provider_is_back_f_c6(shop: Shop) -> None:
    """F-C6: what is looked at every few minutes only is known within a minute all the same."""
    seen = _silent_for_an_hour(shop, 4)
    shop.work()
    assert orders() == {"EXECUTING"}, "the control: nothing is due for minutes"
    asked = len(shop.requests(QUERY))
    assert at_edge(probe_silent_channels)() == 1
    assert at_edge(probe_silent_channels)() == 0, "one question is enough"
    shop.work()
    assert len(shop.requests(QUERY)) == asked + 4, "the one that was answered woke the others"
    assert orders() == {"SUCCESS"}
    assert len(shop.captures()) == len(seen)


def test_a_provider_that_stays_silent_is_asked_now_and_then_f_c6(shop: Shop, settings: Any) -> None:
    """F-C6: one question in as long as a breaker rests, whatever number of payments waits."""
    settings.PSP_BREAKER_FAILURES = 1000
    _silent_for_an_hour(shop, 3)
    shop.arm("http_503", operation=QUERY, times=None)
    asked = len(shop.requests(QUERY))
    for _ in range(12):
        at_edge(probe_silent_channels)()
        shop.later(5)
    assert 3 <= len(shop.requests(QUERY)) - asked <= 4
    asked_each = PspOperation.objects.filter(kind="confirm").values_list("asked", flat=True)
    assert max(asked_each) - min(asked_each) <= 1, "in turns"
    assert orders() == {"EXECUTING"}


def test_a_channel_that_is_asked_anyway_is_not_probed(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation=CONFIRM)
    shop.pay()
    clock.move(seconds=20)
    assert at_edge(probe_silent_channels)() == 0


def test_silent_without_a_charge_is_sent_again_under_the_same_nonce_f_a5(shop: Shop) -> None:
    shop.arm("not_charged_timeout", operation=CONFIRM)
    seen = shop.pay()
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN")
    shop.later(2)
    assert_paid_once(shop, seen["id"])
    nonces = {request["idempotency_key"] for request in shop.requests(CONFIRM)}
    assert nonces == {operation("confirm").nonce}
    assert PspOperation.objects.filter(kind="confirm").count() == 1


def test_a_refused_connection_is_not_sent_and_sent_later_f_a6(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    shop.provider.control("POST", "listener", {"open": False})
    try:
        shop.work()
        assert operation("register").status == "NOT_SENT"
        assert orders() == {"EXECUTING"}
    finally:
        shop.provider.control("POST", "listener", {"open": True})
    nonce = operation("register").nonce
    shop.later(20)
    assert_paid_once(shop, accepted["id"])
    assert {request["idempotency_key"] for request in shop.requests(CREATE)} == {nonce}


@pytest.mark.parametrize("step", ["register", "confirm"])
def test_a_provider_that_stays_away_fails_the_payment_uncharged_f_a6(
    shop: Shop, settings: Any, step: str
) -> None:
    settings.PSP_BREAKER_FAILURES = 1000
    shop.arm("http_429", operation=CREATE if step == "register" else CONFIRM, times=None)
    seen = shop.pay()
    assert operation(step).status == "NOT_SENT"
    for _ in range(4):
        shop.later(200)
    assert orders() == {"EXECUTING"}
    shop.later(200)
    seen = shop.checkout(seen["id"])
    assert seen["payment_orders"][0]["failure"]["code"] == "psp_unavailable"
    assert (orders(), charge().status, operation(step).status) == ({"FAILED"}, "CANCELED", "CANCELED")
    assert not ChargeLine.objects.filter(live=True).exists()
    shop.cure()
    shop.later(3600)
    assert shop.captures() == []
    assert_nothing_posted()


@pytest.mark.parametrize("effect", [True, False])
def test_a_reset_after_the_body_is_unknown_f_a7(shop: Shop, effect: bool) -> None:
    shop.arm("connection_reset_after_body", operation=CONFIRM, effect=effect)
    seen = shop.pay()
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN")
    shop.later(2)
    assert_paid_once(shop, seen["id"])


@pytest.mark.parametrize("effect", [True, False])
@pytest.mark.parametrize(
    "kind", ["http_502", "http_503", "empty_500", "broken_json", "truncated_json", "wrong_content_type"]
)
def test_an_answer_that_cannot_be_read_is_unknown_f_a8(shop: Shop, kind: str, effect: bool) -> None:
    shop.arm(kind, operation=CONFIRM, effect=effect)
    seen = shop.pay()
    assert (orders(), charge().status, operation("confirm").status) == ({"EXECUTING"}, "UNKNOWN", "UNKNOWN")
    shop.later(2)
    assert_paid_once(shop, seen["id"])


def test_a_charged_500_is_unknown_and_found_by_asking_f_a8(shop: Shop) -> None:
    shop.arm("http_500", operation=CONFIRM, effect=True)
    seen = shop.pay()
    assert charge().status == "UNKNOWN"
    shop.later(2)
    assert_paid_once(shop, seen["id"])


def test_a_kept_500_is_closed_at_the_provider_before_the_payment_fails_f_a8(shop: Shop) -> None:
    """The provider repeats this 500 for as long as it remembers the key: sending again never helps."""
    shop.arm("http_500", operation=CONFIRM, effect=False)
    seen = shop.pay()
    for _ in range(3):
        shop.later(60)
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN")
    shop.later(1000)
    seen = shop.checkout(seen["id"])
    assert seen["payment_orders"][0]["failure"]["code"] == "psp_unavailable"
    assert len(shop.requests(CANCEL)) == 1
    assert shop.captures() == []


def test_a_key_in_use_is_asked_about_never_failed_f_a9(shop: Shop) -> None:
    shop.arm("http_409", operation=CONFIRM, key_in_use=True, times=2)
    seen = shop.pay()
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN")
    shop.later(2)
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN")
    shop.later(5)
    assert_paid_once(shop, seen["id"])
    assert PspOperation.objects.filter(kind="confirm").count() == 1


def test_a_key_used_with_other_parameters_freezes_the_payment_f_a10(shop: Shop) -> None:
    shop.arm("not_charged_timeout", operation=CONFIRM)
    shop.pay()
    nonce = operation("confirm").nonce
    other = {"amount": 5000, "currency": "usd", "payment_method_types": ["card"]}
    shop.provider.client(shop.account_key).v1.payment_intents.create(other, {"idempotency_key": nonce})
    shop.later(2)
    assert (charge().status, operation("confirm").status) == ("CONFLICTED", "CONFLICTED")
    case = Case.objects.get()
    assert (case.kind, case.value_minor, case.currency) == ("charge_conflict", 10000, "USD")
    before = len(shop.requests())
    shop.later(3600)
    assert len(shop.requests()) == before
    assert PspOperation.objects.filter(kind="confirm").count() == 1, "no new nonce"
    assert orders() == {"EXECUTING"}
    assert_nothing_posted()


def test_a_busy_provider_is_left_alone_and_others_go_on_f_a11(shop: Shop) -> None:
    other = open_shop(shop.provider, shop.provider.url)
    shop.arm("http_429", operation=CREATE, retry_after=60, times=None)
    waiting = [shop.accept(shop.body()) for _ in range(10)]
    quick = other.accept(other.body())
    shop.work()
    assert other.checkout(quick["id"])["status"] == "succeeded"
    ours = PspOperation.objects.filter(channel_id=shop.channel.id)
    assert set(ours.values_list("status", flat=True)) == {"NOT_SENT"}
    assert all(each.due_at > each.first_sent_at + (clock.timedelta(seconds=59)) for each in ours)
    sent = len(shop.requests(CREATE))
    shop.later(30)
    assert len(shop.requests(CREATE)) == sent, "Retry-After is honoured"
    shop.cure()

    def all_paid() -> bool:
        shop.later(40)
        return {shop.checkout(each["id"])["status"] for each in waiting} == {"succeeded"}

    eventually(all_paid)
    assert len(shop.captures()) == 10


def test_a_hanging_provider_is_left_alone_after_a_few_failures_f_a12(shop: Shop, settings: Any) -> None:
    settings.PSP_READ_TIMEOUT, settings.PSP_BREAKER_REST = 0.2, 0.5
    shop.arm("not_charged_timeout", operation=CREATE, times=None)
    hung = [shop.accept(shop.body()) for _ in range(5)]
    shop.work()
    assert is_open(channel_id=shop.channel.id)
    sent = len(shop.requests())
    late = shop.accept(shop.body())
    shop.work()
    assert len(shop.requests()) == sent, "the line is closed: nothing was tried"
    assert operation("register").status == "NOT_SENT"
    shop.cure()
    eventually(lambda: not is_open(channel_id=shop.channel.id))

    def all_paid() -> bool:
        shop.later(20)
        return {shop.checkout(each["id"])["status"] for each in (*hung, late)} == {"succeeded"}

    eventually(all_paid)
    assert len(shop.captures()) == 6


@pytest.mark.parametrize("fault", [{"short_by": 100}, {"currency": "eur"}, {"amount": 10}])
def test_another_amount_than_asked_is_a_conflict_f_a13(shop: Shop, fault: dict[str, Any]) -> None:
    shop.arm("partial_approval", operation=CONFIRM, **fault)
    shop.pay()
    assert (charge().status, operation("confirm").status) == ("CONFLICTED", "CONFLICTED")
    assert Case.objects.get().kind == "charge_conflict"
    assert ChargeLine.objects.filter(live=True).exists(), "nothing else may cover the orders"
    shop.later(3600)
    assert orders() == {"EXECUTING"}
    assert_nothing_posted()


def test_a_key_older_than_the_providers_memory_is_never_sent_again_f_a16(shop: Shop) -> None:
    shop.arm("not_charged_timeout", operation=CONFIRM)
    shop.arm("http_503", operation=CANCEL, times=None)
    seen = shop.pay()
    assert charge().status == "UNKNOWN"
    sent = len(shop.requests(CONFIRM))
    shop.later(25 * 3600)
    assert len(shop.requests(CONFIRM)) == sent
    assert operation("expire").status == "UNKNOWN"
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN"), "not failed before it is closed there"
    assert len(shop.requests(CANCEL)) == 1, "questions that are answered do not start a storm"
    shop.cure()
    for _ in range(3):
        shop.later(20)
    assert (operation("expire").status, operation("confirm").status) == ("SUCCEEDED", "CANCELED")
    failure = shop.checkout(seen["id"])["payment_orders"][0]["failure"]
    assert (orders(), failure["code"]) == ({"FAILED"}, "psp_unavailable")
    assert len(shop.requests(CONFIRM)) == sent
    assert shop.captures() == []


def test_money_found_while_closing_is_booked_f_a16(shop: Shop) -> None:
    """Between our question and our closing the provider executed what we had sent."""
    shop.arm("not_charged_timeout", operation=CONFIRM)
    shop.arm("http_503", operation=CANCEL, times=None)
    seen = shop.pay()
    shop.later(25 * 3600)
    assert operation("expire").status == "UNKNOWN"
    shop.cure()
    client = shop.provider.client(shop.account_key).v1
    client.payment_intents.confirm(charge().psp_reference, {"payment_method": "pm_card_visa"})
    for _ in range(4):
        shop.later(20)
    assert_paid_once(shop, seen["id"])
    assert operation("expire").status == "DECLINED"


@pytest.mark.parametrize("last", ["expire", "confirm"])
def test_what_two_answers_tell_is_closed_once_f_a16(shop: Shop, last: str) -> None:
    """The provider closed it and its answer was lost; then our question and our closing both learn of it."""
    shop.arm("not_charged_timeout", operation=CONFIRM)
    shop.pay()
    shop.arm("charged_but_timeout", operation=CANCEL)
    shop.later(25 * 3600)
    assert (operation("expire").status, operation("confirm").status) == ("UNKNOWN", "UNKNOWN")
    PspOperation.objects.filter(kind=last).update(due_at=clock.now() + clock.timedelta(hours=1))
    shop.later(60)
    assert (orders(), charge().status) == ({"FAILED"}, "CANCELED")
    shop.later(3600)
    assert (operation("expire").status, operation("confirm").status) == ("SUCCEEDED", "CANCELED")
    closed = StatusChange.objects.filter(subject_id=charge().pk, to_state="CANCELED")
    assert closed.count() == 1
    assert not PspOperation.objects.filter(due_at__isnull=False).exists()
    assert not DeadLetter.objects.exists()


def test_closing_is_never_given_up_unanswered(shop: Shop) -> None:
    shop.arm("not_charged_timeout", operation=CONFIRM)
    shop.pay()
    shop.arm("http_429", operation=CANCEL, times=None)
    shop.later(25 * 3600)
    for _ in range(4):
        shop.later(1000)
    assert (orders(), charge().status) == ({"EXECUTING"}, "UNKNOWN")
    assert PspOperation.objects.filter(kind="expire").count() == 1
    assert not DeadLetter.objects.exists()
    shop.cure()
    shop.later(1000)
    assert (orders(), charge().status) == ({"FAILED"}, "CANCELED")


def test_an_unknown_registration_is_sent_again_under_the_same_nonce(shop: Shop) -> None:
    shop.arm("charged_but_timeout", operation=CREATE)
    seen = shop.pay()
    assert (operation("register").status, charge().status) == ("UNKNOWN", "CREATED")
    shop.later(2)
    assert_paid_once(shop, seen["id"])
    intents = shop.provider.client(shop.account_key).v1.payment_intents.list()
    assert len(intents.data) == 1


def test_a_channel_that_is_switched_off_sends_nothing(shop: Shop) -> None:
    from channels.services import set_enabled
    from core.transactions import at_edge

    switch = at_edge(set_enabled)
    accepted = shop.accept(shop.body())
    switch(channel_id=shop.channel.id, enabled=False, actor="user:1", reason="maintenance")
    shop.work()
    assert (operation("register").status, shop.requests()) == ("NOT_SENT", [])
    switch(channel_id=shop.channel.id, enabled=True, actor="user:1", reason="done")
    shop.later(20)
    assert_paid_once(shop, accepted["id"])


def test_a_revoked_key_fails_the_payment_at_once(shop: Shop) -> None:
    shop.provider.control("POST", "keys", {"key": shop.account_key, "revoked": True})
    seen = shop.pay()
    assert seen["payment_orders"][0]["failure"]["code"] == "psp_unavailable"
    assert_nothing_posted()


def test_every_exchange_is_kept_as_evidence(shop: Shop) -> None:
    from channels.models import PspCall

    shop.arm("broken_json", operation=CONFIRM)
    shop.pay()
    shop.later(2)
    calls = [
        (call.kind, call.http_status, call.operation_id == operation("confirm").id)
        for call in PspCall.objects.order_by("id")
    ]
    assert calls == [("register", 200, False), ("confirm", 200, True), ("query", 200, True)]
    assert shop.account_key not in json.dumps([bytes(each.body).decode() for each in PspCall.objects.all()])
