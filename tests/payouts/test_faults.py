"""What goes wrong between us and a bank: nobody is paid twice, nothing is lost or guessed about."""

from typing import Any

import pytest
from django.db import connection, transaction

from core import failpoints
from core.alerts import open_subjects
from core.models import Case, DeadLetter
from core.transactions import at_edge
from payouts import services
from payouts.engine.conflicts import difference
from payouts.models import PayoutAttempt, PayoutBatch
from payouts.providers.contract import News, NewsKind
from tests.payouts.conftest import Payer

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def references(payer: Payer) -> set[str]:
    """Every reference that was ever sent."""
    return {each.reference for order in payer.paper.orders for each in order.instructions}


def test_a_time_out_after_accepting_is_asked_about(payer: Payer, hooks: Any) -> None:
    """F-F2, I27: UNKNOWN, the hold stays, asked by our reference; never a second submission."""
    payer.trust()
    payer.paper.script = ["timeout"]
    payout = payer.ask()
    payer.work()
    assert (payer.look(payout).status, payer.wallet().held_minor) == ("UNKNOWN", 5000)
    payer.paper.script = ["silent", "silent"]
    for _ in range(2):
        payer.later(30)
    assert (payer.look(payout).status, payer.batch().status) == ("UNKNOWN", "UNKNOWN")
    payer.later(60)
    assert (payer.look(payout).status, payer.wallet().held_minor) == ("SENT", 0)
    assert (len(payer.paper.orders), len(references(payer))) == (1, 1)
    assert payer.paper.paid == {payout.public_id: 1}


def test_what_is_known_late_may_be_paid_already(payer: Payer, hooks: Any) -> None:
    """F-F2: straight from UNKNOWN to PAID, with the entry of its sending (O3)."""
    payer.trust(fixed_minor=50)
    payer.paper.script = ["timeout"]
    payout = payer.ask()
    payer.work()
    payer.paper.settle()
    payer.later(30)
    assert (payer.look(payout).status, payer.events(payout)) == ("PAID", ["requested", "approved", "paid"])


def test_what_never_arrived_is_sent_again_under_the_same_reference(payer: Payer, hooks: Any) -> None:
    """F-F2: only where the provider proves that it never had it."""
    payer.trust()
    payer.paper.script = ["lost"]
    payout = payer.ask()
    payer.work()
    first = PayoutAttempt.objects.get(payout=payout).reference
    payer.later(10)
    assert payer.look(payout).status == "SENT"
    assert references(payer) == {first} and payer.paper.paid == {payout.public_id: 1}


def test_who_cannot_prove_absence_is_asked_for_ever(payer: Payer, hooks: Any) -> None:
    """F-F5: no automatic second upload; a person or the provider resolves it."""
    payer.paper.proves_absence = False
    payer.trust()
    payer.paper.script = ["lost"]
    payout = payer.ask()
    payer.work()
    for _ in range(5):
        payer.later(3600)
    assert (payer.look(payout).status, payer.paper.orders, payer.paper.asked >= 5) == ("UNKNOWN", [], True)
    assert at_edge(services.watch_payouts)() == (1, 0)
    case = Case.objects.get(kind="payout_stuck")
    assert (case.value_minor, case.currency, case.subject) == (5000, "EUR", payout.public_id)
    at_edge(services.record_paid)(merchant_id=payer.merchant_id, reference=payout.public_id, by="user:olga")
    assert payer.look(payout).status == "PAID"
    assert (at_edge(services.watch_payouts)(), open_subjects("payout_stuck")) == ((0, 1), [])


def test_what_was_stopped_meanwhile_is_not_sent_again(payer: Payer, hooks: Any) -> None:
    """F-F2: it never arrived, for certain, and a block stands: FAILED, and the hold is released."""
    payer.seller("bob", money=1000)
    payer.trust()
    payer.paper.script = ["lost"]
    payout, other = payer.ask(), payer.ask(700, "bob")
    payer.work()
    with transaction.atomic():
        services.place_block(
            merchant_id=payer.merchant_id,
            seller_id=payer.sellers["ann"],
            source="finance",
            reason="looks odd",
            by="user:olga",
        )
    payer.later(10)
    assert (payer.look(payout).status, payer.look(other).status) == ("FAILED", "SENT")
    assert (payer.wallet().held_minor, payer.paper.paid) == (0, {other.public_id: 1})


def test_a_batch_of_which_everything_was_stopped_counts_nothing(payer: Payer, hooks: Any) -> None:
    """I25: the same, with nothing left to send; the audits at the end look at what the batch says."""
    payer.trust()
    payer.paper.script = ["lost"]
    payout = payer.ask()
    payer.work()
    with transaction.atomic():
        services.place_block(
            merchant_id=payer.merchant_id, seller_id=None, source="finance", reason="odd", by="user:olga"
        )
    payer.later(10)
    assert (payer.look(payout).status, payer.paper.paid) == ("FAILED", {})
    batch = payer.batch()
    assert (batch.status, batch.payouts_count, batch.total_minor) == ("CLOSED", 0, 0)


@pytest.mark.parametrize("place", ["after_intent", "after_effect", "before_commit"])
def test_a_worker_that_breaks_off_in_the_middle_pays_once(payer: Payer, hooks: Any, place: str) -> None:
    """F-F5: between upload and marking it uploaded the batch is UNKNOWN, then asked about."""
    payer.trust()
    payout = payer.ask()
    failpoints.arm(f"payouts.{place}", "raise")
    payer.work()
    assert payer.look(payout).status == "EXECUTING"
    payer.later(40)
    payer.later(40)
    assert (payer.look(payout).status, payer.paper.paid) == ("SENT", {payout.public_id: 1})
    assert len({order.sha256 for order in payer.paper.orders}) == 1


def test_what_a_bank_refuses_is_free_again_at_once(payer: Payer) -> None:
    """F-F13, I31: validation fails after the hold; it is released in the same transaction."""
    payer.trust()
    payout = payer.ask()
    payer.paper.refused[payout.public_id] = None  # type: ignore[assignment]
    payer.work()
    payout = payer.look(payout)
    assert (payout.status, payout.failure) == (
        "FAILED",
        {"code": "account_closed", "message": "The account is closed.", "provider_code": "AC04"},
    )
    assert (payer.wallet().held_minor, payer.wallet().available_minor) == (0, 100_000)
    # The account itself is bad: nothing more goes there.
    payout.destination.refresh_from_db()
    assert payout.destination.status == "REJECTED"


def test_a_batch_that_is_refused_whole_pays_nobody(payer: Payer) -> None:
    """F-F13, I31."""
    payer.trust()
    payer.paper.script = ["refuse"]
    payouts = [payer.ask(), payer.ask(700)]
    payer.work()
    assert {payer.look(each).status for each in payouts} == {"FAILED"}
    assert (payer.batch().status, payer.wallet().available_minor) == ("CLOSED", 100_000)


def test_refused_after_it_was_taken_on(payer: Payer, hooks: Any) -> None:
    """I32: O5 gives back the amount and its fee."""
    payer.trust(fixed_minor=100)
    payout = payer.ask()
    payer.work()
    payer.paper.settle(NewsKind.REFUSED)
    payer.later(5)
    assert (payer.look(payout).status, payer.wallet().available_minor) == ("FAILED", 100_000)


def test_what_was_said_before_a_refusal_comes_late_and_is_no_contradiction(payer: Payer, hooks: Any) -> None:
    """Callbacks have no order: taken on, then refused, may be told the other way round. Paid may not."""
    payer.trust()
    payout = payer.ask()
    payer.work()
    payer.paper.settle(NewsKind.REFUSED)
    payer.later(5)
    attempt = PayoutAttempt.objects.select_related("payout").get(payout_id=payout.id)
    assert attempt.status == "REFUSED"
    said = {kind: difference(attempt, News(attempt.reference, kind)) for kind in NewsKind}
    assert [kind for kind, differs in said.items() if differs] == [NewsKind.PAID, NewsKind.RETURNED]
    attempt.sent_at = None  # It was never sent: then nobody can have taken it on.
    assert difference(attempt, News(attempt.reference, NewsKind.ACCEPTED))


def test_a_duplicate_reference_is_the_first_one(payer: Payer, hooks: Any) -> None:
    """F-F14: the provider knows the reference already: treated as accepted, not as a failure."""
    payer.trust()
    payout = payer.ask()
    get = payer.paper.submit

    def twice(channel: Any, order: Any) -> Any:
        get(channel, order)
        return get(channel, order)

    payer.paper.submit = twice  # type: ignore[method-assign]
    payer.work()
    assert (payer.look(payout).status, payer.paper.paid) == ("SENT", {payout.public_id: 1})


def test_what_provably_never_left_may_be_taken_back(payer: Payer, hooks: Any) -> None:
    """F-F9: back to APPROVED; canceled then, it is dropped from its batch, the others leave."""
    payer.trust()
    payer.paper.script = ["not_sent"]
    payout, other = payer.ask(), payer.ask(700)
    payer.work()
    assert {payer.look(each).status for each in (payout, other)} == {"APPROVED"}
    at_edge(services.cancel_payout)(merchant_id=payer.merchant_id, reference=payout.public_id, by="user:mia")
    payer.later(10)
    assert (payer.look(payout).status, payer.look(other).status) == ("CANCELED", "SENT")
    assert payer.paper.paid == {other.public_id: 1}
    assert (payer.batch().payouts_count, payer.batch().total_minor) == (1, 700)


@pytest.mark.parametrize("lie", [{"amount_minor": 4999}, {"currency": "USD"}])
def test_a_provider_that_says_another_amount_is_not_believed(payer: Payer, hooks: Any, lie: Any) -> None:
    """F-F2, I16: nothing is posted, the payout is UNKNOWN, a case says what is at risk."""
    payer.trust()
    payer.paper.says = lie
    payout = payer.ask()
    payer.work()
    assert (payer.look(payout).status, payer.wallet().held_minor) == ("UNKNOWN", 5000)
    case = Case.objects.get(kind="payout_conflict")
    assert (case.value_minor, case.subject) == (5000, payout.public_id)
    payer.paper.says = {}
    payer.later(5)
    assert payer.look(payout).status == "SENT"


def test_a_return_that_comes_late_and_early(payer: Payer, hooks: Any) -> None:
    """F-F3, I09: news in any order and any number of times; less than what is known changes nothing."""
    payer.trust()
    payer.paper.script = ["timeout"]
    payout = payer.ask()
    payer.work()
    reference = PayoutAttempt.objects.get(payout=payout).reference
    for kind in ("returned", "accepted", "paid", "returned"):
        tell(payer, reference, kind)
    assert payer.look(payout).status == "RETURNED"
    assert payer.wallet().available_minor == 100_000
    tell(payer, reference, "refused")
    assert open_subjects("payout_conflict") == [payout.public_id]


def test_news_of_what_we_never_sent(payer: Payer) -> None:
    """I28: a case is opened, nothing is posted."""
    tell(payer, "po-of-somebody-else", "paid")
    assert Case.objects.get(kind="payout_unknown_reference").status == "OPEN"


def tell(payer: Payer, reference: str, kind: str) -> None:
    """A callback of the provider."""
    from core import clock
    from core.ids import uuid7
    from events.types import InboundEvent

    event = InboundEvent(
        id=uuid7(),
        merchant_id=payer.merchant_id,
        channel_id=payer.channel.id,
        provider="paper",
        event_id="bev_1",
        type="payment.paid",
        payload={"reference": reference, "kind": kind},
        account="",
        occurred_at=clock.now(),
        received_at=clock.now(),
    )
    at_edge(services.on_payout_event)(delivery=event)


def test_a_changed_destination_voids_the_yes(payer: Payer) -> None:
    """F-F6, I30: the yes was to the old account; what leaves has a second person's yes as it is."""
    payout = payer.ask()
    assert payout.status == "IN_REVIEW"
    payer.approve(payout)
    elsewhere = payer.place("ann", is_default=False)
    at_edge(services.change_destination)(
        merchant_id=payer.merchant_id,
        reference=payout.public_id,
        destination=elsewhere.public_id,
        by="user:olga",
    )
    payer.work()
    assert (payer.look(payout).status, payer.paper.orders) == ("IN_REVIEW", [])
    payer.approve(payout)
    payer.work()
    [sent] = payer.paper.payments.values()
    assert sent.payee_reference == elsewhere.public_id


def test_an_instruction_that_was_changed_behind_our_back_does_not_leave(payer: Payer) -> None:
    """F-F6: whoever changed the row; the digest of what was said yes to is compared before it leaves."""
    payer.trust()
    payout = payer.ask()
    elsewhere = payer.place("ann", is_default=False)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payouts_payout SET destination_id = %s WHERE id = %s", [elsewhere.id, payout.id]
        )
    payer.work()
    assert (payer.look(payout).status, payer.paper.orders) == ("IN_REVIEW", [])
    assert payer.events(payout)[-1] == "in_review"


def test_debts_come_first(payer: Payer) -> None:
    """F-F7: a refund after the yes leaves a debt: blocked at its sending, let go when it is paid."""
    payer.trust()
    payout = payer.ask(100_000)
    payer.owe("ann", 500)
    payer.work()
    payout = payer.look(payout)
    assert (payout.status, payout.why_held, payer.paper.orders) == ("BLOCKED", "the seller owes money", [])
    assert services.reconsider() == (0, 0)
    payer.fill("ann", 500)
    assert services.reconsider() == (1, 0)
    payer.work()
    assert (payer.look(payout).status, payer.look(payout).attempts) == ("SENT", 1)
    assert [each.status for each in PayoutAttempt.objects.order_by("pk")] == ["CANCELED", "ACCEPTED"]


def test_a_batch_that_fails_too_often_is_buried_and_replayed(payer: Payer, hooks: Any) -> None:
    """A mistake of ours: tried again, then a dead letter, which cannot be dropped; replayed, it is asked."""
    payer.trust()
    payout = payer.ask()
    submit, ask = payer.paper.submit, payer.paper.ask
    payer.paper.submit = payer.paper.ask = broken  # type: ignore[method-assign, assignment]
    for _ in range(12):
        payer.later(120)
    letter = DeadLetter.objects.get(queue="payout_batches")
    assert (payer.look(payout).status, PayoutBatch.objects.get().due_at) == ("UNKNOWN", None)
    from core.dead_letters import DeadLetterNeeded, drop, replay

    with pytest.raises(DeadLetterNeeded):
        at_edge(drop)(dead_letter_id=letter.pk, actor="user:olga", reason="no")
    payer.paper.submit, payer.paper.ask = submit, ask  # type: ignore[method-assign]
    at_edge(replay)(dead_letter_id=letter.pk, actor="user:olga", reason="mended")
    payer.work()
    assert (payer.look(payout).status, payer.paper.paid) == ("SENT", {payout.public_id: 1})


def broken(*_: Any) -> Any:
    """An adapter with a mistake in it."""
    raise RuntimeError("a mistake of ours")
