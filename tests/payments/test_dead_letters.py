"""What breaks in our own handling is tried eight times, then handed to a person, who may replay it."""

from typing import Any

import pytest

from core import dead_letters
from core.failpoints import arm, disarm, fired
from core.models import DeadLetter
from core.transactions import at_edge
from payments.models import PspOperation
from tests.payments.conftest import Shop

DECISION: dict[str, Any] = {"actor": "user:1", "reason": "the defect is mended"}
pytestmark = pytest.mark.usefixtures("hooks")


def break_until_buried(shop: Shop) -> PspOperation:
    """Let the recording of an outcome fail for good."""
    arm("execute.before_intent", "raise", times=100)
    for _ in range(10):
        shop.later(61)
    disarm()
    return PspOperation.objects.get()


def test_the_eighth_failure_buries_the_operation(shop: Shop) -> None:
    shop.accept(shop.body())
    arm("execute.before_intent", "raise", times=100)
    for _ in range(7):
        shop.later(61)
    assert not DeadLetter.objects.exists()
    assert PspOperation.objects.get().attempts == 7
    operation = break_until_buried(shop)
    assert (operation.due_at, operation.attempts, operation.status) == (None, 8, "CREATED")
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.status, letter.attempts) == ("operations", "OPEN", 8)
    assert "FailpointRaised" in letter.error
    assert shop.requests() == []


def test_a_buried_operation_is_replayed_once(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    break_until_buried(shop)
    letter = DeadLetter.objects.get()
    at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)
    operation = PspOperation.objects.get()
    assert (operation.attempts, operation.due_at is not None) == (0, True)
    with pytest.raises(dead_letters.DeadLetterDecided):
        at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)
    shop.work()
    assert shop.checkout(accepted["id"])["status"] == "succeeded"
    assert len(shop.captures()) == 1


def test_the_replay_of_a_finished_operation_changes_nothing(shop: Shop) -> None:
    """Somebody buried it, and a webhook brought the outcome before a person looked."""
    paid = shop.pay()
    operation = PspOperation.objects.get(kind="confirm")
    from core.ids import public_id

    letter = at_edge(dead_letters.bury)(
        queue="operations", subject=public_id("op", operation.id), error="x", attempts=8
    )
    at_edge(dead_letters.replay)(dead_letter_id=letter.pk, **DECISION)
    operation.refresh_from_db()
    assert (operation.status, operation.due_at) == ("SUCCEEDED", None)
    shop.work()
    assert len(shop.captures()) == 1 and shop.checkout(paid["id"])["is_payment_done"]


def test_a_provider_that_was_away_leaves_all_tries_to_our_own_failures(shop: Shop) -> None:
    accepted = shop.accept(shop.body())
    shop.arm("http_429", operation="payment_intents.create", times=None)
    for _ in range(20):
        shop.later(20)
    assert PspOperation.objects.get().attempts == 0
    arm("execute.before_intent", "raise")
    shop.later(20)
    assert not DeadLetter.objects.exists()
    shop.cure()
    shop.later(61)
    assert shop.checkout(accepted["id"])["status"] == "succeeded"


def test_a_poisoned_operation_does_not_stop_the_others(shop: Shop) -> None:
    arm("execute.before_intent", "raise")
    accepted = [shop.accept(shop.body()) for _ in range(5)]
    shop.work()
    states = [shop.checkout(each["id"])["status"] for each in accepted]
    assert states.count("succeeded") >= 4 and len(fired("execute.before_intent")) == 1
    shop.later(61)
    assert {shop.checkout(each["id"])["status"] for each in accepted} == {"succeeded"}
    assert len(shop.captures()) == 5
