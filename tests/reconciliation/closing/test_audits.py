"""Each audit of clearing accounts and closed days finds what it is for; on good data all are clean."""

from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from core.audits import NOT_EXERCISED, run_audits
from reconciliation.closing.audits import INVARIANTS
from tests.ledger.breakage import broken
from tests.reconciliation.closing.conftest import NEXT, Closer

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Owner = psycopg.Connection[Any]
NAMES = [each.name for each in INVARIANTS]
TABLES = "^reconciliation_|^ledger_|^payments_charge|^core_approval"
_DAY = "UPDATE reconciliation_dayclose SET "
_FIRST = "day = '2026-01-05'"
_SAID = "figures = jsonb_set(figures, '{{books,positions,0,{what}}}', '\"7\"')"
BREAKS: dict[str, list[str]] = {
    "clearing_is_what_was_captured": [
        "UPDATE ledger_journalline SET amount_minor = 999 WHERE clearing_key = %(open)s",
        "UPDATE payments_charge SET captured_minor = 999 WHERE id = %(open)s::uuid",
        "UPDATE payments_charge SET status = 'DECLINED' WHERE id = %(open)s::uuid",
        "UPDATE ledger_journalline SET clearing_key = %(other)s WHERE clearing_key = %(open)s",
    ],
    "clearing_of_matched_is_zero": [
        "DELETE FROM ledger_journalline WHERE clearing_key = %(done)s AND amount_minor < 0",
        "UPDATE ledger_journalline SET clearing_key = %(done)s WHERE clearing_key = %(open)s",
    ],
    "signed_day_is_the_books": [
        *(
            f"{_DAY}{_SAID.format(what=what)} WHERE {_FIRST}"
            for what in ("opening_minor", "debit_minor", "credit_minor", "closing_minor", "role")
        ),
        f"{_DAY}{_SAID.format(what='opening_minor')} WHERE NOT {_FIRST}",
        f"{_DAY}figures = figures #- '{{books,positions,0}}' WHERE {_FIRST}",
        "UPDATE ledger_closedtotal SET debit_minor = debit_minor + 1, credit_minor = credit_minor + 1",
        f"{_DAY}prepared_by = 'user:other' WHERE {_FIRST}",
        f"{_DAY}closed_by = 'user:other' WHERE {_FIRST}",
        f"{_DAY}period_id = gen_random_uuid() WHERE {_FIRST}",
    ],
}


@pytest.fixture
def closer(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Closer:
    """Two signed days."""
    found = Closer()
    found.ready()
    found.prepare()
    found.sign()
    found.ready(NEXT, opening=150)
    found.prepare(NEXT)
    found.sign(NEXT)
    return found


def charge(owner: Owner, closer: Closer, minor: int) -> str:
    """A captured charge as pay-in leaves it."""
    key = str(uuid4())
    owner.execute(
        "INSERT INTO payments_charge (id, merchant_id, checkout_id, channel_id, payment_method,"
        " psp_reference, amount, amount_currency, amount_minor, authorized_minor, captured_minor,"
        " voided_minor, refunded_minor, status, redirect_url, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, 'card', %s, 1, 'EUR', %s, %s, %s, 0, 0, 'CAPTURED', '', now(), now())",
        [key, closer.merchant_id, uuid4(), uuid4(), f"pi_{key}", minor, minor, minor],
    )
    return key


def booked(owner: Owner, closer: Closer, key: str, minor: int, number: int) -> None:
    """A line in psp_clearing, copied from one of the books."""
    owner.execute(
        "INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor,"
        " currency, clearing_key) SELECT %s, %s, 1, 1, id, %s, 'EUR', %s FROM ledger_account"
        " WHERE merchant_id = %s AND role = 'psp_clearing'",
        [2**50 + number, closer.merchant_id, minor, key, closer.merchant_id],
    )


def matched(owner: Owner, closer: Closer, key: str) -> None:
    owner.execute(
        "INSERT INTO reconciliation_match (merchant_id, source_id, run_id, side, line_id, subject_kind,"
        " subject_id, nth, how, rule, group_key, line_part, movement_part, clearing_key, amount_minor,"
        " difference_minor, live) VALUES (%s, %s, %s, 'psp', 1, 'charge', %s, 0, 'exact', 'reference', '', 0,"
        " 0, %s, 500, 0, true)",
        [closer.merchant_id, closer.psp.pk, uuid4(), UUID(key), key],
    )


def asked(owner: Owner, name: str) -> bool:
    """Whether the audit finds something."""
    query = next(each.sql for each in INVARIANTS if each.name == name)
    return bool(owner.execute(query.encode()).fetchall())


def test_each_audit_finds_what_it_is_for(closer: Closer) -> None:
    """P3, I38, L13: every way to break the data is seen, and undone nothing is."""
    missed = []
    with broken(tables=TABLES) as owner:
        keys = {"open": charge(owner, closer, 1000), "done": charge(owner, closer, 500)}
        keys["other"] = charge(owner, closer, 1)
        booked(owner, closer, keys["open"], 1000, 1)
        booked(owner, closer, keys["done"], 500, 2)
        booked(owner, closer, keys["done"], -500, 3)
        matched(owner, closer, keys["done"])
        for name, ways in BREAKS.items():
            for sql in ways:
                owner.execute("SAVEPOINT whole")
                assert not asked(owner, name), name
                owner.execute(sql.encode(), keys if "%(" in sql else None)
                if not asked(owner, name):
                    missed.append((name, sql))
                owner.execute("ROLLBACK TO SAVEPOINT whole")
    assert missed == []


def test_what_is_awaited_or_in_a_break_is_no_breach(closer: Closer) -> None:
    """I38 is about what is matched whole: a refund that no file has yet, or a break, keeps a key open."""
    name = "clearing_of_matched_is_zero"
    with broken(tables=TABLES) as owner:
        key = charge(owner, closer, 500)
        booked(owner, closer, key, 400, 1)
        matched(owner, closer, key)
        assert asked(owner, name)
        for sql in (
            "UPDATE reconciliation_match SET difference_minor = 1",
            "INSERT INTO reconciliation_match (merchant_id, source_id, run_id, side, subject_kind,"
            " subject_id, nth, how, rule, group_key, line_part, movement_part, clearing_key, amount_minor,"
            " difference_minor, clear_by, live) SELECT merchant_id, source_id, run_id, 'psp', 'refund',"
            " gen_random_uuid(), 0, 'expected', 'timing', '', 0, 0, clearing_key, -100, 0, now(), true"
            " FROM reconciliation_match",
            "INSERT INTO reconciliation_discrepancy (id, merchant_id, key, break_class, category, side,"
            " subject_kind, clearing_key, currency, amount_minor, summary, explanation, rule_name, owner,"
            " business_date, due_at, status, resolution, created_at, updated_at, event_sequence)"
            " SELECT gen_random_uuid(), merchant_id, 'k', 'UNKNOWN', 'C', '', '', clearing_key, 'EUR', 1, '',"
            " '{}', '', '', now(), now(), 'OPEN', '', now(), now(), 0 FROM reconciliation_match",
        ):
            owner.execute("SAVEPOINT whole")
            owner.execute(sql.encode())
            assert not asked(owner, name), sql
            owner.execute("ROLLBACK TO SAVEPOINT whole")


def test_every_audit_is_broken_here() -> None:
    assert set(BREAKS) == set(NAMES)


def test_an_audit_of_nothing_says_so() -> None:
    assert {each.verdict for each in run_audits(names=NAMES, store=False).findings} == {NOT_EXERCISED}
