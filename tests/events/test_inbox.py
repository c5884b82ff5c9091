"""What comes in: stored once with its work, handled with its mark in one commit, in any order."""

from functools import partial
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection, transaction

from core import clock, dead_letters
from core.drain import get_drain
from core.fsm import TransitionNotAllowed
from core.history import move
from core.models import Case, DeadLetter, StatusChange
from core.transactions import at_edge
from events import inbox
from events.errors import NotYet
from events.inbox import InboxDrain
from events.models import InboxWork, WebhookInbox
from tests.events.cast import Provider
from tests.racing import race

pytestmark = pytest.mark.database


def run() -> int:
    return get_drain("inbox").run()


def work() -> InboxWork:
    return InboxWork.objects.get()


def test_a_delivery_is_stored_and_handed_to_each_subscriber(provider: Provider, subscribed: Any) -> None:
    books, risk = subscribed("thing."), subscribed("thing.done", name="risk")
    nobody = subscribed("other.", name="other")
    body = provider.event(data={"object": {"amount": 1}}, account="acct_1")
    assert provider.deliver(body).status_code == 200
    row = WebhookInbox.objects.get()
    assert (bytes(row.raw), row.payload, row.type, row.status) == (body, None, "thing.done", "RECEIVED")
    assert run() == 2
    assert (len(books), len(risk), nobody) == (1, 1, [])
    seen = books[0]
    assert (seen.event_id, seen.account, seen.channel_id) == ("evt_1", "acct_1", provider.channel_id)
    assert seen.payload["data"] == {"object": {"amount": 1}}
    assert set(InboxWork.objects.values_list("status", "due_at")) == {("DONE", None)}
    assert run() == 0


def test_only_harmless_headers_are_kept(provider: Provider) -> None:
    body = provider.event()
    provider.post(
        body,
        {
            "Stripe-Signature": provider.signature(body),
            "Authorization": "Bearer secret",
            "Cookie": "session=secret",
            "User-Agent": "Stripe/1.0",
        },
    )
    kept = WebhookInbox.objects.get().headers
    assert set(kept) == {"content-type", "user-agent", "stripe-signature"}
    assert "secret" not in str(kept)


def test_the_same_event_100_times_at_once(provider: Provider, subscribed: Any) -> None:
    """F-C2, I20: one row, one piece of work, one call; 2xx for all."""
    seen = subscribed()
    body = provider.event()
    # As many at once as there are database connections, ten times over.
    answers = [answer for _ in range(10) for answer in race([partial(provider.deliver, body)] * 10)]
    assert [answer.status_code for answer in answers] == [200] * 100
    assert (WebhookInbox.objects.count(), InboxWork.objects.count()) == (1, 1)
    race([run] * 4)
    assert len(seen) == 1


def test_without_the_unique_key_the_race_would_be_lost(provider: Provider, owner_sql: Any) -> None:
    """The control of F-C2: it is the database that keeps the second one out."""
    owner_sql("ALTER TABLE events_webhookinbox DROP CONSTRAINT events_inbox_once")
    try:
        race([partial(provider.deliver, provider.event())] * 5)
        assert WebhookInbox.objects.count() == 5
        owner_sql("DELETE FROM events_webhookinbox")
    finally:
        owner_sql(
            "ALTER TABLE events_webhookinbox ADD CONSTRAINT events_inbox_once"
            " UNIQUE (channel_id, provider_event_id)"
        )


def test_two_event_ids_for_one_change_are_two_deliveries(provider: Provider, subscribed: Any) -> None:
    """F-C3: telling them apart is not the inbox's business; the subscriber sees both and is idempotent."""
    done: set[str] = set()
    seen = subscribed(handler=lambda event: done.add(event.payload["data"]["object"]))
    for event_id in ("evt_1", "evt_2"):
        assert provider.deliver(provider.event(event_id, data={"object": "pi_1"})).status_code == 200
    assert run() == 2
    assert (sorted(event.event_id for event in seen), done) == (["evt_1", "evt_2"], {"pi_1"})


def test_a_stored_event_survives_the_loss_of_its_nudge(
    provider: Provider, subscribed: Any, hooks: Any
) -> None:
    """F-C8, F-D2: killed after the commit and before anybody was told; the drain finds the row."""
    from core.failpoints import arm, fired

    seen = subscribed()
    arm("inbox.committed", "raise")
    with pytest.raises(Exception, match="armed"):
        provider.deliver(provider.event())
    assert len(fired("inbox.committed")) == 1
    assert run() == 1
    assert len(seen) == 1


def test_the_broker_is_away(provider: Provider, subscribed: Any, settings: Any) -> None:
    """F-D1: the provider is answered all the same, and the drain finds the row."""
    seen = subscribed()
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert provider.deliver(provider.event()).status_code == 200
    assert (run(), len(seen)) == (1, 1)


def test_the_broker_forgets_everything(provider: Provider, subscribed: Any) -> None:
    """F-D7: what is to be done stands in the database."""
    seen = subscribed()
    provider.deliver(provider.event())
    cache.clear()
    assert (run(), len(seen)) == (1, 1)


def test_effects_and_mark_are_one_commit(provider: Provider, subscribed: Any, hooks: Any) -> None:
    """F-C9: stopped between the effect and the mark, neither is there; the next run has both."""
    from core.failpoints import arm

    subscribed(handler=lambda event: _effect(event.event_id))
    provider.deliver(provider.event())
    arm("inbox.applied", "raise")
    assert run() == 1
    assert (work().status, work().attempts, DeadLetter.objects.count()) == ("RECEIVED", 1, 0)
    clock.move(seconds=60)
    run()
    assert (work().status, DeadLetter.objects.count()) == ("DONE", 1)


def _effect(subject: str) -> None:
    """Something that a subscriber writes."""
    dead_letters.bury(queue="effect", subject=subject, error="effect", attempts=0)


def test_a_poisoned_event_dies_and_the_others_flow(provider: Provider, subscribed: Any, hooks: Any) -> None:
    """F-C10: no head of line is blocked; after the last try a person decides, and may replay."""
    broken = True

    def handler(event: Any) -> None:
        if event.event_id == "evt_poison" and broken:
            _effect("half done")
            raise ZeroDivisionError("poison")

    seen = subscribed(handler=handler)
    provider.deliver(provider.event("evt_poison"))
    for index in range(3):
        provider.deliver(provider.event(f"evt_{index}"))
    run()
    assert InboxWork.objects.filter(status="DONE").count() == 3
    tries = 1
    while InboxWork.objects.filter(status="RECEIVED").exists():
        clock.move(seconds=700)
        run()
        tries += 1
        assert tries < 50
    assert tries == 12
    poisoned = InboxWork.objects.get(status="DEAD")
    letter = DeadLetter.objects.get()  # And the half that the handler did is not there.
    assert (letter.queue, letter.subject, letter.attempts) == ("inbox", str(poisoned.pk), 12)
    assert "ZeroDivisionError: poison" in letter.error
    broken = False
    at_edge(dead_letters.replay)(dead_letter_id=letter.pk, actor="user:1", reason="fixed")
    assert run() == 1
    assert InboxWork.objects.filter(status="DONE").count() == 4
    assert seen[-1].event_id == "evt_poison"


def test_what_comes_too_early_is_parked_and_never_dropped(
    provider: Provider, subscribed: Any, hooks: Any
) -> None:
    """Parking is no failure: no try is counted, and after an hour a person is told, once."""
    here = False

    def handler(event: Any) -> None:
        if not here:
            _effect("half done")
            raise NotYet("no charge pi_1")

    subscribed(handler=handler)
    provider.deliver(provider.event())
    run()
    row = work()
    assert (row.status, row.attempts, row.parks, row.reason) == ("PARKED", 0, 1, "no charge pi_1")
    for _ in range(14):
        clock.move(seconds=301)
        run()
    row = work()
    assert (row.status, row.attempts, row.parks) == ("PARKED", 0, 15)
    case = Case.objects.get()
    assert (case.kind, case.merchant_id) == ("webhook_parked", provider.merchant_id)
    assert DeadLetter.objects.count() == 0
    here = True
    clock.move(seconds=301)
    run()
    assert work().status == "DONE"
    history = StatusChange.objects.filter(subject_id=row.pk).order_by("id")
    assert [change.to_state for change in history] == ["PARKED", "DONE"]


def test_a_subscriber_of_newer_code_is_waited_for(
    provider: Provider, subscribed: Any, monkeypatch: Any
) -> None:
    from events import subscriptions

    subscribed()
    provider.deliver(provider.event())
    monkeypatch.setattr(subscriptions, "_SUBSCRIPTIONS", {})
    run()
    assert work().status == "PARKED"


def test_a_claimer_that_was_too_slow_writes_nothing(provider: Provider, subscribed: Any) -> None:
    """The fence: the lease ran out, another one took over, and the first one wakes up."""
    seen = subscribed()
    provider.deliver(provider.event())
    drain = InboxDrain()
    [slow] = drain.claim(limit=50)
    InboxWork.objects.update(leased_until=None)
    [fast] = drain.claim(limit=50)
    drain.handle(slow)
    drain.failed(slow, ValueError("late"))
    assert (seen, work().status, work().attempts) == ([], "RECEIVED", 0)
    drain.handle(fast)
    assert (len(seen), work().status) == (1, "DONE")


def test_the_wrong_mode_is_quarantined(provider: Provider, subscribed: Any) -> None:
    """F-C12, A-B12: stored, shown, not applied; the provider is answered 200."""
    seen = subscribed()
    assert provider.deliver(provider.event(livemode=True)).status_code == 200
    row = WebhookInbox.objects.get()
    assert (row.status, InboxWork.objects.count(), run(), seen) == ("QUARANTINED", 0, 0, [])
    case = Case.objects.get()
    assert (case.kind, case.merchant_id) == ("webhook_quarantined", provider.merchant_id)


def test_a_type_that_nobody_knows_is_stored(provider: Provider, subscribed: Any) -> None:
    subscribed("thing.")
    assert provider.deliver(provider.event(kind="brand.new", surprise={"a": [1]})).status_code == 200
    assert (WebhookInbox.objects.count(), InboxWork.objects.count()) == (1, 0)


def test_what_was_stored_cannot_be_rewritten(provider: Provider, owner_sql: Any) -> None:
    provider.deliver(provider.event())
    for sql in ("UPDATE events_webhookinbox SET raw = 'x'", "DELETE FROM events_webhookinbox"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic():
            connection.cursor().execute(sql)
    with pytest.raises(Exception, match="append-only but for status"):
        owner_sql("UPDATE events_webhookinbox SET raw = 'x'")


def test_done_is_final(provider: Provider, subscribed: Any, owner_sql: Any) -> None:
    subscribed()
    provider.deliver(provider.event())
    run()
    with pytest.raises(TransitionNotAllowed), transaction.atomic():
        row = work()
        move(row, row.to_received, why="x", due_at=clock.now())
    with pytest.raises(Exception, match="may not change from DONE to RECEIVED"):
        owner_sql("UPDATE events_inboxwork SET status = 'RECEIVED', due_at = now()")


def test_the_queue_has_a_replay() -> None:
    assert dead_letters.can_replay(inbox.QUEUE)
