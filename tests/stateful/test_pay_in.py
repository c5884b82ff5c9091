"""The whole of pay-in against its model: every answer, what the provider really did, and the books."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError
from hypothesis.stateful import run_state_machine_as_test

from channels.types import ChannelData
from core import failpoints
from events.inbox import InboxDrain
from payments.drains import OperationDrain
from payments.engine import attempts, execute
from payments.engine.refunds import request
from payments.engine.requests import Question
from payments.locks import CheckoutScope
from payments.models import PaymentOrder
from payments.psp.contract import Outcome, OutcomeKind, PspAdapter
from payments.psp.declines import decline
from tests.sandbox.conftest import Sandbox
from tests.stateful import still
from tests.stateful.effort import examples
from tests.stateful.pay_in_machine import PayInMachine
from tests.stateful.pay_in_twice import Written, again
from tests.stateful.pay_in_world import World, die
from tests.stateful.still import stand_still

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]
PLAIN: dict[str, Any] = {
    "amounts": [10_000],
    "policy": "all_or_nothing",
    "capture": "automatic",
    "currency": "USD",
    "is_deaf": False,
    "is_quick": False,
    "crash": "",
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A provider of our own: where it is to be silent it is the one that gives up.

    A short patience of ours would take a slow machine for a silent provider, now and then.
    """
    sandbox = Sandbox(tmp_path_factory.mktemp("provider"), "--hang-seconds", "0.1")
    sandbox.start()
    yield sandbox
    sandbox.end()


@pytest.fixture(autouse=True)
def _one_hand(provider: Sandbox, settings: Any, hooks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """One worker, one thing after the other, and no time but ours, so that a seed tells everything.

    Killed, the worker lives on.
    """
    settings.PSP_READ_TIMEOUT = 15.0
    monkeypatch.setattr(OperationDrain, "parallel", 1)
    monkeypatch.setattr(InboxDrain, "parallel", 1)
    monkeypatch.setitem(failpoints._ACTIONS, "die", die)
    stand_still(monkeypatch)
    World.forget(provider)


def test_pay_in_is_as_the_model_says(provider: Sandbox) -> None:
    """F-A1 to F-A5, F-G1: whatever breaks, in whatever order it is told, everything is once or never."""
    run_state_machine_as_test(
        lambda: PayInMachine(provider), settings=examples(few=50, many=1000, steps=12, is_fixed=True)
    )


def test_a_history_that_is_played_again_is_the_same(provider: Sandbox) -> None:
    """What is found must be found again: nothing may hang on real time, on chance, or on keys."""

    run_state_machine_as_test(
        lambda: Written(provider, partial(play_again, provider)),
        settings=examples(few=2, many=100, steps=12, is_fixed=True),
    )


def play_again(provider: Sandbox, first: Written) -> None:
    """Fail unless the same is seen at every step."""
    for (name, values), once, twice in zip(first.steps, first.seen, again(first, provider), strict=True):
        assert once == twice, (name, values, first.steps)


def test_control_a_machine_that_is_slower_the_second_time_is_found_out(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that runs by itself, what broke is due again at the next step, or it is not."""
    first = Written(provider, lambda _: None)
    first.accept(**PLAIN, card="pm_card_visa")
    first.everything_is_as_the_model_allows()
    first.work(fault=None, crash=("execute.before_intent", "raise"))
    first.everything_is_as_the_model_allows()
    first.work_well()
    first.everything_is_as_the_model_allows()
    first.teardown()
    play_again(provider, first)
    monkeypatch.setattr(still, "_TICK", timedelta(seconds=2))
    with pytest.raises(AssertionError, match="work"):
        play_again(provider, first)


def begun(provider: Sandbox, card: str = "pm_card_visa", **other: Any) -> PayInMachine:
    """A checkout of one order that was just sent, and seen."""
    machine = PayInMachine(provider)
    machine.accept(card=card, **(PLAIN | other))
    machine.everything_is_as_the_model_allows()
    return machine


def test_the_machine_has_nothing_against_a_plain_history(provider: Sandbox) -> None:
    """What the controls below do, before the product as it is."""
    machine = begun(provider, "pm_card_sandboxConnectionReset")
    machine.work_well()
    machine.everything_is_as_the_model_allows()
    machine.attempt(0, "pm_card_visa", "")
    machine.wait(20, None, None)
    machine.everything_is_as_the_model_allows()
    machine.refund(1, 100, False, "")
    machine.refund(1, 101, False, "")
    machine.work_well()
    machine.everything_is_as_the_model_allows()
    machine.teardown()
    assert machine.model.orders["o-0"].is_paid and not machine.model.is_done


def test_a_refund_whose_refusal_was_lost_for_a_day_stays_unknown(provider: Sandbox) -> None:
    """F-A16: no longer to be found out under its key; nothing was given back, and people are told."""
    machine = begun(provider, "pm_card_sandboxRefundRefused", is_quick=True)
    machine.refund(1, 100, True, "")
    machine.work(None, ("execute.after_effect", "die"))
    machine.days_go_by(1)
    machine.everything_is_as_the_model_allows()
    machine.teardown()
    (refund,) = machine.model.never_known
    assert (refund.amount, machine.world.has_case()) == (10_000, True)


def _guess(outcome: Outcome) -> Outcome:
    if outcome.kind is not OutcomeKind.UNKNOWN:
        return outcome
    return Outcome(kind=OutcomeKind.DECLINED, decline=decline("card_declined"))


def test_control_a_product_that_guesses_is_found_out(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-A5: silence is taken for a no, and it was a yes."""
    real = execute._call
    monkeypatch.setattr(execute, "_call", lambda intent: _guess(real(intent)))
    machine = begun(provider, "pm_card_sandboxChargedButTimeout")
    with pytest.raises(AssertionError):
        machine.work_well()
        machine.everything_is_as_the_model_allows()
        machine.teardown()


def test_control_a_refund_under_two_keys_is_found_out(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I12: the API, the books and every audit are content; only the provider's journal tells."""
    real = execute.call_for

    def twice(adapter: PspAdapter, channel: ChannelData, question: Question) -> Outcome:
        if question.kind == "refund":
            other = replace(question.request, nonce="another")
            real(adapter, channel, replace(question, request=other))
        return real(adapter, channel, question)

    monkeypatch.setattr(execute, "call_for", twice)
    machine = begun(provider, is_quick=True)
    machine.refund(1, 30, False, "")
    machine.work_well()
    machine.world.assert_clean()
    with pytest.raises(AssertionError, match="given back once"):
        machine.everything_is_as_the_model_allows()


def test_control_a_refund_that_is_not_counted_is_found_out(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I12: without the look at what is left the database refuses, and that is no answer for a store."""

    def everything(order: PaymentOrder) -> int:
        return int(order.captured_minor)

    monkeypatch.setattr(request, "left_to_refund", everything)
    machine = begun(provider, is_quick=True)
    machine.refund(1, 100, True, "")
    machine.everything_is_as_the_model_allows()
    with pytest.raises(IntegrityError, match="never_returns_more"):
        machine.refund(1, 101, False, "")


def test_control_an_attempt_beside_a_live_charge_is_found_out(
    provider: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-A18: an attempt that does not look whether another one is on its way."""

    def careless(scope: CheckoutScope) -> list[PaymentOrder]:
        return [order for order in scope.orders if order.status == "FAILED"]

    monkeypatch.setattr(attempts, "_payable", careless)
    machine = begun(
        provider, "pm_card_sandboxProcessing", amounts=[500, 700], policy="best_effort", is_quick=True
    )
    with pytest.raises(AssertionError):
        machine.attempt(0, "pm_card_visa", "")
