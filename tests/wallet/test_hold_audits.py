"""Each audit of holds and debts finds what it is for, and the others stay silent."""

from datetime import timedelta

import pytest
from django.db import transaction

from core import clock
from core.audits import NOT_EXERCISED, run_audits
from tests.ledger.books import Books
from tests.ledger.breakage import broken, violated
from wallet import hold_audits
from wallet.services import cancel_hold, try_hold

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAMES = {each.name for each in hold_audits.INVARIANTS}
BREAKS: dict[str, list[str]] = {
    "held_is_covered": [
        "UPDATE wallet_hold SET amount_minor = 59 WHERE subject = 'held'",
        "DELETE FROM wallet_hold WHERE subject = 'held'",
    ],
    "held_is_its_open_holds": [
        "UPDATE wallet_hold SET amount_minor = 61 WHERE subject = 'held'",
        "UPDATE wallet_hold SET role = 'seller_reserve' WHERE subject = 'held'",
    ],
    "hold_resolved_once": [
        "UPDATE wallet_hold SET settled_minor = 1 WHERE subject = 'held'",
        "DELETE FROM core_statuschange"
        " WHERE subject_id = (SELECT id FROM wallet_hold WHERE subject = 'held')",
        "INSERT INTO core_statuschange (merchant_id, subject_type, subject_id, from_state, to_state, reason,"
        " actor, occurred_at, recorded_at) SELECT merchant_id, subject_type, subject_id, 'OPEN', 'RELEASED',"
        " '', '', now(), now() FROM core_statuschange WHERE to_state = 'RELEASED'",
    ],
    "hold_not_overdue": [
        "UPDATE wallet_hold SET expires_at = now() - interval '6 minutes' WHERE subject = 'held'"
    ],
    "tombstone_is_final": [
        "UPDATE ledger_journalentry SET source = 'hold',"
        " source_ref = (SELECT id::text FROM wallet_hold WHERE amount_minor = 0)"
        " WHERE leg = 'requested' AND source_ref = 'held'"
    ],
    "debt_is_netted": [
        "UPDATE wallet_wallet SET available_minor = 40, receivable_minor = 5 WHERE held_minor = 60"
    ],
}
ALSO = {
    "held_is_covered": {"held_is_its_open_holds"},
    "held_is_its_open_holds": {"held_is_covered"},
    "hold_resolved_once": {"history_follows_the_tables"},
    "debt_is_netted": {"wallet_is_its_accounts", "wallet_is_its_operations"},
}


@pytest.fixture
def held(strict_books: Books) -> Books:
    strict_books.fund(100)
    hold = strict_books.hold(60)
    shared = {"merchant_id": hold.merchant_id, "wallet_id": hold.wallet_id, "purpose": "payout"}
    with transaction.atomic():
        cancel_hold(**shared, subject="never tried")
        later = clock.now() + timedelta(hours=1)
        try_hold(**shared, subject="for an hour", amount_minor=1, expires_at=later)
        cancel_hold(**shared, subject="for an hour")
    return strict_books


@pytest.mark.parametrize(("name", "sql"), [(name, sql) for name, all_ in BREAKS.items() for sql in all_])
def test_each_audit_fires(held: Books, name: str, sql: str) -> None:
    """W1 to W4, I26."""
    with broken(tables="^(ledger|wallet|core_statuschange)") as owner:
        assert violated(owner) == set()
        owner.execute(sql.encode())
        found = violated(owner)
        assert name in found
        assert found <= {name} | ALSO.get(name, set())


def test_every_audit_of_holds_is_broken_here() -> None:
    assert set(BREAKS) == NAMES


def test_an_audit_of_nothing_says_so(transactional_db: None) -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}
