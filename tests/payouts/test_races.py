"""Many at once: exactly as much leaves as there is, one decision holds, and nothing is sent and canceled."""

from collections.abc import Iterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest

from core.approvals import at_decision_edge
from core.drain import get_drain
from core.errors import DomainError
from core.models import AuditRecord
from core.transactions import at_edge
from payouts import services
from payouts.engine import canceling, collecting
from payouts.errors import PayoutDecided, PayoutNotCancelable
from payouts.models import Payout, PayoutAttempt
from payouts.selectors import instruction_of
from tests.payouts.conftest import CHECKER, OTHER, Payer, open_payer
from tests.racing import race
from tests.stateful.effort import rounds

ROUNDS = rounds(few=10, many=200)
pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]
CLIENTS = 30


@pytest.fixture
def careless(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Payer]:
    """A merchant for the controls, which break what is audited."""
    yield open_payer(monkeypatch)


@pytest.mark.parametrize(("balance", "amount"), [(1000, 70), (3000, 3000)])
def test_thirty_withdrawals_take_what_there_is(payer: Payer, balance: int, amount: int) -> None:
    """A-D1, F-F1, I07: at most floor(balance/amount) are accepted, the rest get 422 insufficient_funds."""
    payer.seller("bob", money=balance)
    body = {"seller_account": "bob", "amount": f"{amount // 100}.{amount % 100:02}", "currency": "EUR"}

    def ask() -> Any:
        return payer.store.post("/v1/payouts", body, key=uuid4().hex)

    answers = [answer.status_code for answer in race([ask] * CLIENTS, seconds=60)]
    assert (answers.count(201), answers.count(422)) == (balance // amount, CLIENTS - balance // amount)
    assert payer.wallet("bob").held_minor == balance // amount * amount


def test_thirty_withdrawals_keep_the_limit_of_the_day(payer: Payer) -> None:
    """A-D1: the limit of a day holds for all of them together."""
    payer.set("payouts.limits", {"EUR": {"per_day_minor": 1000}})
    outcomes = race([partial(payer.ask, 300)] * 10, seconds=60)
    assert sum(isinstance(each, Payout) for each in outcomes) == 3


def test_the_control_without_the_lock_of_requests(careless: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same without waiting for each other: all see a day on which nothing was asked for."""
    from threading import Barrier

    from payouts.engine import request

    together = Barrier(4, timeout=30)
    monkeypatch.setattr(request, "lock_requests", lambda **_: None)
    seen = request._today

    def look(*args: Any) -> int:
        found = seen(*args)
        together.wait()
        return found

    monkeypatch.setattr(request, "_today", look)
    careless.set("payouts.limits", {"EUR": {"per_day_minor": 1000}})
    outcomes = race([partial(careless.ask, 300)] * 4)
    assert sum(isinstance(each, Payout) for each in outcomes) == 4


def test_two_people_say_yes_at_once(payer: Payer) -> None:
    """F-F8, A-D9, I30: one transition and one audit row, also when one of them clicks twice."""
    payout = payer.ask()
    shown = instruction_of(payout_id=payout.id).digest

    def click(by: str) -> Payout:
        return at_decision_edge(services.approve_payout)(payout_id=payout.id, checker=by, digest=shown)

    outcomes = race([partial(click, by) for by in (CHECKER, CHECKER, OTHER, OTHER)])
    assert sum(isinstance(each, Payout) for each in outcomes) == 1
    assert sum(isinstance(each, PayoutDecided) for each in outcomes) == 3
    said = AuditRecord.objects.filter(action="approval.approve", subject=f"payout:{payout.id}")
    assert (said.count(), payer.events(payout)) == (1, ["requested", "in_review", "approved"])


def test_yes_no_and_back_at_once(payer: Payer) -> None:
    """A-D5: one final state, and the audit trail says the same."""
    for _ in range(ROUNDS):
        payout = payer.ask(100)
        shown = instruction_of(payout_id=payout.id).digest
        decide = {"payout_id": payout.id}
        race(
            [
                partial(at_decision_edge(services.approve_payout), checker=CHECKER, digest=shown, **decide),
                partial(at_decision_edge(services.reject_payout), checker=OTHER, reason="no", **decide),
                partial(
                    at_edge(services.cancel_payout),
                    merchant_id=payer.merchant_id,
                    reference=payout.public_id,
                    by="user:mia",
                ),
            ]
        )
        now = payer.look(payout).status
        trail = AuditRecord.objects.filter(subject=f"payout:{payout.id}").order_by("seq")
        verdicts = [each.action.removeprefix("approval.") for each in trail]
        allowed = {
            "CANCELED": (["request", "void"], ["request", "approve", "void"]),
            "REJECTED": (["request", "reject"],),
        }
        assert verdicts in allowed[now], (now, verdicts)
    assert payer.wallet().held_minor == 0


def test_a_cancel_races_the_sending(payer: Payer) -> None:
    """F-F9: canceled with nothing sent, or sent and the cancel refused; never both."""
    payer.trust()
    for _ in range(ROUNDS):
        payout = payer.ask(100)
        get_drain("payouts").run()
        _, answer = race(
            [
                get_drain("payout_batches").run,
                partial(
                    at_edge(services.cancel_payout),
                    merchant_id=payer.merchant_id,
                    reference=payout.public_id,
                    by="user:mia",
                ),
            ]
        )
        now, paid = payer.look(payout).status, payer.paper.paid[payout.public_id]
        assert (now, paid) in (("CANCELED", 0), ("SENT", 1)), answer
        assert isinstance(answer, PayoutNotCancelable) == (now == "SENT")


def test_the_control_that_cancels_without_the_lock(careless: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same with a cancel that looked before: it says yes to what is being sent."""
    payer = careless
    payer.trust()
    payout = payer.ask(100)
    get_drain("payouts").run()
    stale = payer.look(payout)
    monkeypatch.setattr(canceling, "lock_payout", lambda **_: stale)
    failed: list[Exception] = []

    def cancel() -> None:
        try:
            at_edge(services.cancel_payout)(
                merchant_id=payer.merchant_id, reference=payout.public_id, by="user:mia"
            )
        except Exception as error:
            failed.append(error)

    payer.paper.during = cancel
    payer.work()
    # Without the lock only the state in the WHERE of the update is left to refuse it, and it does so late.
    assert failed and not isinstance(failed[0], DomainError)


def test_two_workers_put_a_payout_into_one_batch(payer: Payer) -> None:
    """I27: whoever comes second finds it in a batch."""
    payer.trust()
    for _ in range(ROUNDS):
        payout = payer.ask(100)
        race([get_drain("payouts").run] * 3)
        assert PayoutAttempt.objects.filter(payout=payout).count() == 1


def test_the_control_that_does_not_look_again(careless: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the second look behind the lock only the unique index stops the second sending."""
    careless.trust()
    payout = careless.ask(100)
    [group] = collecting.groups_to_collect()
    get_drain("payouts").run()
    everything = Payout.objects.filter(pk=payout.pk)
    monkeypatch.setattr(collecting, "_ready", lambda day: everything)
    with pytest.raises(Exception, match="payouts_attempt_one_live"):
        collecting.collect_group(group)


def test_a_new_account_and_a_withdrawal_at_once(payer: Payer) -> None:
    """A-D7, A-H3: the money goes to the old account, or nowhere; never to the one that cools down."""
    payer.trust()
    old = payer.places["ann"].id
    payer.set("payouts.destination_cool_down_hours", 48)
    for _ in range(ROUNDS):
        made, asked = race([partial(payer.place, "ann", is_default=True), partial(payer.ask, 100)])
        assert not isinstance(made, Exception), made
        if isinstance(asked, Payout):
            assert asked.destination_id == old
        else:
            assert isinstance(asked, DomainError) and asked.code.startswith("destination_"), asked
        at_edge(services.remove_destination)(
            merchant_id=payer.merchant_id, destination_id=made.id, by="user:olga"
        )
        at_edge(services.make_default)(merchant_id=payer.merchant_id, destination_id=old, by="user:olga")
    payer.work(3)
    assert {each.payee_reference for each in payer.paper.payments.values()} <= {payer.places["ann"].public_id}
