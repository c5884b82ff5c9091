"""Every invariant of this app is clean on good data and fires on broken data."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from core.audits import CLEAN, NOT_EXERCISED, registered, run_audits
from core.drain import get_drain
from events.audits import INVARIANTS
from tests.database import owner_connection
from tests.events.cast import Provider, open_endpoint, record

NAMES = [each.name for each in INVARIANTS]

BREAKAGES = {
    "inbox_stored_once": [
        "ALTER TABLE events_webhookinbox DROP CONSTRAINT events_inbox_once",
        "INSERT INTO events_webhookinbox SELECT (jsonb_populate_record(w, jsonb_build_object("
        "'id', gen_random_uuid(), 'status', 'RECEIVED'))).* FROM events_webhookinbox w",
    ],
    "inbox_none_stuck": ["UPDATE events_inboxwork SET due_at = now() - interval '16 minutes'"],
    "outbox_published": [
        "ALTER TABLE core_outboxevent DISABLE TRIGGER core_outboxevent_fixed",
        "UPDATE core_outboxevent SET published_seq = NULL, recorded_at = now() - interval '6 minutes'",
    ],
    "event_sequences_gapless": [
        "ALTER TABLE core_outboxevent DISABLE TRIGGER core_outboxevent_fixed",
        "UPDATE core_outboxevent SET sequence = 4 WHERE sequence = 3",
    ],
    "deliveries_unique": [
        "ALTER TABLE events_webhookdelivery DROP CONSTRAINT events_delivery_once",
        "INSERT INTO events_webhookdelivery SELECT (jsonb_populate_record(d, jsonb_build_object("
        "'id', gen_random_uuid()))).* FROM events_webhookdelivery d",
    ],
    "deliveries_none_stuck": ["UPDATE events_webhookdelivery SET due_at = now() - interval '16 minutes'"],
}
MORE_BREAKAGES = [
    ("inbox_stored_once", BREAKAGES["inbox_stored_once"]),
    ("inbox_none_stuck", ["UPDATE events_webhookinbox SET status = 'QUARANTINED'"]),
    ("event_sequences_gapless", ["UPDATE core_outboxevent SET published_seq = NULL WHERE sequence = 2"]),
    (
        "event_sequences_gapless",
        ["UPDATE core_outboxevent SET published_seq = 1000000 - sequence"],
    ),
    ("deliveries_unique", ["UPDATE core_outboxevent SET published_seq = NULL"]),
]


@pytest.fixture
def merchant(provider: Provider, subscribed: Any, loopback: None) -> UUID:
    """Good data: an event in the inbox, three facts with deliveries."""
    subscribed()
    provider.deliver(provider.event())
    open_endpoint(provider.merchant_id, "http://127.0.0.1:9/")
    record(provider.merchant_id, "pay_1", 1, 2, 3)
    get_drain("relay").run()
    return provider.merchant_id


@pytest.fixture
def broken(merchant: UUID) -> Iterator[Any]:
    """A connection of the owner, whose damage is rolled back."""
    with owner_connection() as owner:
        yield owner.cursor()
        owner.rollback()


def test_they_are_registered() -> None:
    assert set(NAMES) <= {each.name for each in registered()}
    assert {rule for each in INVARIANTS for rule in each.covers} == {"I20", "I21"}


def test_good_data_is_clean(merchant: UUID) -> None:
    report = run_audits(names=NAMES)
    assert {finding.name: finding.verdict for finding in report.findings} == dict.fromkeys(NAMES, CLEAN)


@pytest.mark.django_db(transaction=True)
def test_no_data_is_not_called_clean() -> None:
    assert {finding.verdict for finding in run_audits(names=NAMES).findings} == {NOT_EXERCISED}


@pytest.mark.parametrize(("name", "damage"), [*BREAKAGES.items(), *MORE_BREAKAGES])
def test_damage_is_found(broken: Any, name: str, damage: list[str]) -> None:
    """I20, I21."""
    [invariant] = [each for each in INVARIANTS if each.name == name]
    broken.execute(invariant.sql)
    assert broken.fetchall() == []
    for statement in damage:
        broken.execute(statement)
    broken.execute(invariant.sql)
    assert len(broken.fetchall()) >= 1


def test_every_invariant_is_broken_once() -> None:
    assert set(BREAKAGES) == set(NAMES)
