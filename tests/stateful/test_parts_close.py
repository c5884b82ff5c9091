"""One hosted charge over three sellers: whatever happens, every part is explained and closes to zero."""

from typing import Any

import pytest
from django.core.exceptions import ObjectDoesNotExist
from django.db import IntegrityError
from hypothesis.stateful import run_state_machine_as_test

from core import clock
from ledger.templates.capture import Share
from ledger.templates.cover import Cover
from payments.engine import cover, late_money
from payments.engine.disputes import books
from payments.engine.refunds import opening, outcomes
from payments.psp import stripe_adapter
from tests.stateful.effort import examples
from tests.stateful.parts_machine import PartsMachine
from tests.stateful.parts_model import Terms, half_up
from tests.stateful.parts_provider import PaperProvider
from tests.stateful.parts_world import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _paper(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The provider is on paper, the clock stands, and nothing is sent from the web process."""
    settings.INLINE_REGISTRATIONS = 0
    settings.PSP_BREAKER_FAILURES = 10**6
    monkeypatch.setattr(clock, "now", Watch.now)
    monkeypatch.setattr(stripe_adapter, "StripeAdapter", PaperProvider)


def test_parts_close_whatever_happens() -> None:
    """F-G7, F-G8, F-G4, I12, P2, P3: each step is explained by key and by part; the end is exactly zero."""
    run_state_machine_as_test(PartsMachine, settings=examples(few=50, many=1000, steps=14, is_fixed=True))


def history(*, commission_bps: int = 1000, amount: int = 10_000) -> PartsMachine:
    """A paid charge of three like orders, of which a test plays the steps itself."""
    machine = PartsMachine()
    terms = Terms(commission_bps, commission_fixed=0, tax_bps=2000, delay_days=1, reserve_bps=0)
    machine.begin(
        made=(terms,) * 3, amounts=(amount,) * 3, fails_first=True, overlaps=True, ends=[True, False] * 2
    )
    return machine


@pytest.mark.parametrize("is_lost_before", [True, False])
def test_a_refund_that_fails_beside_a_dispute_leaves_no_commission_behind_f_g4(is_lost_before: bool) -> None:
    """F-G4: the dispute had what was left, and the seller the rest of it alone; then the refund fails."""
    machine = history()
    machine.refund(order=0, portion=0.6, answer="done", to_card=True)
    machine.dispute(portion=1.0, fee=1500)
    machine.everything_is_explained()
    assert machine.judge.gave(0) == (5400, 500, 100)
    (name,) = machine.facts.disputes
    if is_lost_before:
        machine.decide(name, is_won=False)
        machine.everything_is_explained()
        assert machine.judge.gave(0) == (9000 + 6000, 833, 167)
    machine.end_refund(machine.card_refunds("done")[0], is_done=False)
    machine.everything_is_explained()
    if not is_lost_before:
        machine.decide(name, is_won=False)
        machine.everything_is_explained()
    assert machine.judge.gave(0) == (9000, 833, 167)
    machine.teardown()


def test_a_dispute_that_is_won_beside_another_leaves_no_commission_behind_f_g8() -> None:
    """F-G8, F-G4: two disputes of the same money; the first is won, the second is all there is."""
    machine = history()
    machine.dispute(portion=0.5, fee=1500)
    machine.dispute(portion=1.0, fee=1500)
    first, second = machine.facts.disputes
    machine.decide(second, is_won=False)
    machine.everything_is_explained()
    machine.decide(first, is_won=True)
    machine.everything_is_explained()
    assert [machine.judge.gave(order) for order in range(3)] == [(9000, 833, 167)] * 3
    machine.decide(first, is_won=False)
    machine.decide(first, is_won=True)
    machine.teardown()


def rounded_by_itself(*, share: Any, returned: Any, amount_minor: int, **_: Any) -> Share:
    """A division that looks at one refund alone."""
    whole = share.seller_net_minor + share.commission_minor + share.tax_minor
    commission = half_up(share.commission_minor * amount_minor, whole)
    tax = half_up(share.tax_minor * amount_minor, whole)
    return Share(amount_minor - commission - tax, commission, tax)


def debts_before_money(*, amount_minor: int, **_: int) -> Cover:
    """A cover that makes a debt of everything."""
    return Cover(receivable_minor=amount_minor)


def nothing(*_: Any, **__: Any) -> None:
    """A step that was forgotten."""


def many_small_refunds(machine: PartsMachine) -> None:
    for _ in range(12):
        machine.refund(order=0, portion=0.01, answer="done", to_card=True)
        machine.everything_is_explained()
    machine.teardown()


def refunded_whole(machine: PartsMachine) -> None:
    for order in range(3):
        machine.refund(order=order, portion=1.0, answer="done", to_card=True)
        machine.everything_is_explained()


def refunded_after_release(machine: PartsMachine) -> None:
    machine.release(days=3)
    machine.refund(order=1, portion=0.5, answer="done", to_card=True)
    machine.everything_is_explained()


def lost_then_won(machine: PartsMachine) -> None:
    machine.dispute(portion=1.0, fee=1500)
    (name,) = machine.facts.disputes
    for is_won in (False, True):
        machine.decide(name, is_won=is_won)
        machine.everything_is_explained()


def overlap(machine: PartsMachine) -> None:
    machine.refund(order=0, portion=0.6, answer="done", to_card=True)
    machine.dispute(portion=1.0, fee=0)
    machine.end_refund(machine.card_refunds("done")[0], is_done=False)
    machine.everything_is_explained()


def came_late(machine: PartsMachine) -> None:
    machine.late_money(answer="later")
    machine.everything_is_explained()


BROKEN = {
    "commission rounded refund by refund": (
        opening,
        "divide",
        rounded_by_itself,
        many_small_refunds,
    ),
    "a debt although there is money": (cover, "decide_cover", debts_before_money, refunded_after_release),
    "a checkout whose totals nobody looks at": (
        outcomes,
        "note_checkout_totals",
        nothing,
        refunded_whole,
    ),
    "a loss that stays when the dispute is won": (books.Books, "lost_undone", nothing, lost_then_won),
    "a hold that a loss does not end": (books.Books, "_end_hold", nothing, lost_then_won),
    "an overlap that stays with the seller": (outcomes, "settle_excess", nothing, overlap),
    "late money that nobody gives back": (late_money, "give_back", nothing, came_late),
}


@pytest.mark.parametrize("name", BROKEN)
def test_control_a_broken_rule_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same steps, with the rule and without it."""
    owner, what, instead, play = BROKEN[name]
    play(history(amount=200))
    monkeypatch.setattr(owner, what, instead)
    with pytest.raises((AssertionError, IntegrityError, ObjectDoesNotExist)):
        play(history(amount=200))
