"""The relay: every fact gets one place in the feed, in the order of its subject, and its deliveries."""

import threading
from typing import Any

import pytest
from django.db import connection

from core.drain import get_drain
from core.failpoints import arm
from core.models import OutboxEvent
from core.transactions import at_edge
from events import locks, relay
from events.models import WebhookDelivery
from events.relay import publish_batch
from events.selectors import deliveries_of, events_of
from events.services import disable_endpoint, pause_endpoint
from merchants.services import create_seller
from tests.events.cast import open_endpoint, open_merchant, record
from tests.racing import race

pytestmark = [
    pytest.mark.database,
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("loopback"),
]
URL = "http://127.0.0.1:9/hooks"


def feed() -> list[tuple[str, int]]:
    rows = OutboxEvent.objects.exclude(published_seq=None).order_by("published_seq")
    return list(rows.values_list("subject", "sequence"))


def in_order(places: list[tuple[str, int]]) -> bool:
    """Say whether every subject counts 1, 2, 3 … in the feed."""
    seen: dict[str, int] = {}
    for subject, sequence in places:
        if sequence != seen.get(subject, 0) + 1:
            return False
        seen[subject] = sequence
    return True


def test_facts_of_the_product_are_published_and_fanned_out() -> None:
    merchant, other = open_merchant(), open_merchant()
    every = open_endpoint(merchant, URL).endpoint
    sellers = open_endpoint(merchant, URL, "seller.created", "seller.updated").endpoint
    open_endpoint(merchant, URL, "payment.succeeded")
    open_endpoint(other, URL)
    seller = at_edge(create_seller)(merchant_id=merchant, seller_account="s1", name="Shop", country="DE")
    assert get_drain("relay").run() == 1
    [event] = events_of(merchant_id=merchant, subject=seller.public_id)
    assert (event.type, event.sequence) == ("seller.created", 1)
    assert event.published_seq is not None
    found = deliveries_of(merchant_id=merchant, event_id=event.id)
    assert {each.endpoint_id for each in found} == {every.id, sellers.id}
    assert {(each.status, each.tries) for each in found} == {("PENDING", ())}
    assert deliveries_of(merchant_id=other, event_id=event.id) == []
    assert get_drain("relay").run() == 0


def test_the_order_of_a_subject_is_kept_over_batches(monkeypatch: Any) -> None:
    monkeypatch.setattr(relay, "BATCH", 3)
    merchant = open_merchant()
    for subject in ("pay_b", "pay_a"):
        record(merchant, subject, *range(1, 6))
    assert get_drain("relay").run() == 10
    assert in_order(feed())
    record(merchant, "pay_a", 6)
    record(None, "job_1", 1)
    assert get_drain("relay").run() == 2
    assert feed()[-1] == ("pay_a", 6)


def test_nothing_is_published_before_its_predecessor() -> None:
    """A number that is missing holds back its own subject and no other."""
    merchant = open_merchant()
    record(merchant, "pay_gap", 1, 3, 4)
    record(merchant, "pay_z", 1, 2)
    get_drain("relay").run()
    assert sorted(feed()) == [("pay_gap", 1), ("pay_z", 1), ("pay_z", 2)]
    record(merchant, "pay_gap", 2)
    get_drain("relay").run()
    assert len(feed()) == 6
    assert in_order(feed())


def test_endpoints_that_are_off_get_nothing_and_paused_ones_later() -> None:
    merchant = open_merchant()
    off, paused = (open_endpoint(merchant, URL).endpoint for _ in range(2))
    at_edge(disable_endpoint)(merchant_id=merchant, endpoint_id=off.id, why="test")
    at_edge(pause_endpoint)(merchant_id=merchant, endpoint_id=paused.id, why="test")
    record(merchant, "pay_1", 1)
    get_drain("relay").run()
    told = WebhookDelivery.objects.filter(event__subject="pay_1")
    assert [row.endpoint_id for row in told] == [paused.id]
    assert set(WebhookDelivery.objects.values_list("endpoint_id", flat=True)) == {paused.id}


@pytest.mark.parametrize("place", ["relay.stamped", "relay.committed"])
def test_stopped_before_or_after_the_commit(place: str, hooks: Any) -> None:
    """F-D15: stamps and deliveries are one commit, so a repeat finds all of it or nothing."""
    merchant = open_merchant()
    open_endpoint(merchant, URL)
    record(merchant, "pay_1", 1, 2)
    arm(place, "raise")
    with pytest.raises(Exception, match="armed"):
        publish_batch()
    assert len(feed()) == WebhookDelivery.objects.count() == (0 if place == "relay.stamped" else 2)
    get_drain("relay").run()
    assert (feed(), WebhookDelivery.objects.count()) == ([("pay_1", 1), ("pay_1", 2)], 2)


def two_relays_at_once() -> list[Any]:
    """Run two relays while four writers go on recording; return what the relays returned or raised."""
    merchant = open_merchant()
    open_endpoint(merchant, URL)
    written = threading.Barrier(5)

    def writer(name: str) -> None:
        for sequence in range(1, 31):
            record(merchant, f"pay_{name}", sequence)
        written.wait(20)

    def publisher() -> int:
        count = 0
        while written.n_waiting < 4:
            count += get_drain("relay").run()
        return count

    def publishers() -> list[Any]:
        results = race([publisher, publisher])
        written.wait(20)
        return results

    return race([publishers, *(lambda name=name: writer(name) for name in "abcd")])[0]


def test_two_relays_at_once() -> None:
    """F-D16: nothing lost, nothing twice, the order of every subject kept."""
    results = two_relays_at_once()
    assert all(isinstance(result, int) for result in results), results
    get_drain("relay").run()
    places = feed()
    assert (len(places), len(set(places)), in_order(places)) == (120, 120, True)
    assert WebhookDelivery.objects.count() == 120


def test_without_the_lock_two_relays_collide(monkeypatch: Any) -> None:
    """The control of F-D16: both read the same facts, and the unique keys have to refuse one of them."""
    merchant = open_merchant()
    open_endpoint(merchant, URL)
    record(merchant, "pay_1", 1)
    both_have_read = threading.Barrier(2)
    numbers = relay._numbers

    def after_both_have_read(count: int) -> list[int]:
        both_have_read.wait(10)
        return numbers(count)

    monkeypatch.setattr(relay, "_numbers", after_both_have_read)
    monkeypatch.setattr(locks, "try_relay", lambda: True)
    outcomes = race([publish_batch, publish_batch])
    assert [type(each).__name__ for each in outcomes if isinstance(each, Exception)] == ["IntegrityError"]


def test_the_second_relay_does_not_wait_for_the_first() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended('events:relay', 0))")
        record(open_merchant(), "pay_1", 1)
        assert race([publish_batch]) == [None]
        cursor.execute("SELECT pg_advisory_unlock(hashtextextended('events:relay', 0))")
    assert publish_batch() == 1
