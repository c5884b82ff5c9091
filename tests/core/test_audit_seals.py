"""The audit trail is sealed like the books: one chain, in the order of record (I39)."""

from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from core.audit_seals import advance_audit_fence, seal_audit_trail, trail_lag, trail_root
from core.audit_trail import record_audit
from core.audits import run_audits
from core.models import AuditRecord
from core.tasks import seal_trail
from core.trail_audits import INVARIANTS
from tests.database import as_owner, owner_connection
from tests.ledger.books import rows, run
from tests.ledger.sealing import export, findings
from tests.racing import race
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
NAMES = {each.name for each in INVARIANTS}


def record(**other: Any) -> int:
    """One record, committed."""
    content = {"actor": "user:1", "action": "case.close", "subject": "case_1", "reason": "seen"} | other
    with transaction.atomic():
        return record_audit(**content)


def seal_all() -> int:
    ((last,),) = rows("SELECT coalesce(max(seq), 0) FROM core_auditrecord")
    eventually(lambda: advance_audit_fence() >= last)
    return seal_audit_trail()


@pytest.fixture
def sealed() -> list[int]:
    """Three blocks."""
    numbers = []
    for detail in ({"amount": "1.00"}, {"ü": [1, None]}, None):
        numbers += [record(detail=detail, merchant_id=uuid4()), record(reason="", actor="system")]
        assert seal_all() == 2
    return numbers


def test_blocks_follow_one_another_and_the_verifier_agrees(sealed: list[int]) -> None:
    exported = export()
    assert findings(exported) == []
    assert [row["number"] for row in exported if row["type"] == "audit_block"] == ["1", "2", "3"]
    assert [int(row["seq"]) for row in exported if row["type"] == "audit_record"] == sealed
    root = trail_root()
    assert root is not None
    assert (root.block, root.last_seq) == (3, sealed[-1])
    kept = {"chain": "audit", "block": "3", "hash": root.hash}
    assert findings(exported, [kept]) == []
    assert findings(exported, [kept | {"hash": "00" * 32}]) != []
    assert {each.verdict for each in run_audits(names=NAMES).findings} == {"clean"}


@pytest.mark.parametrize("field", ["actor", "action", "subject", "reason", "detail", "recorded_at"])
def test_the_verifier_finds_every_altered_field(sealed: list[int], field: str) -> None:
    exported = export()
    next(row for row in exported if row["type"] == "audit_record")[field] += "x"
    assert findings(exported)


def test_a_slow_writer_is_never_sealed_over() -> None:
    login = connection.settings_dict
    slow: psycopg.Connection[Any] = psycopg.connect(
        dbname=login["NAME"],
        user=login["USER"],
        password=login["PASSWORD"],
        host=login["HOST"],
        port=login["PORT"],
    )
    with slow:
        slow.execute("SELECT core_audit_append(NULL, 'a', 'b', 'c', '', '{}', '', now())")
        record()
        for _ in range(4):
            seal_trail()
        assert rows("SELECT count(*) FROM core_auditseal") == [(0,)]
        assert trail_lag().waits_for == "fence"
        slow.commit()
    slow.close()
    assert seal_all() == 2
    assert trail_lag().waits_for == "nothing"


def test_two_sealers_make_one_chain() -> None:
    for _ in range(3):
        last = [record() for _ in range(5)][-1]
        eventually(lambda last=last: advance_audit_fence() >= last)
        assert sum(race([seal_audit_trail] * 4)) == 5
    assert {each.verdict for each in run_audits(names=NAMES).findings} == {"clean"}


BREAKS = {
    "audit_blocks_hold": [
        "UPDATE core_auditrecord SET reason = 'other' WHERE seq = {first}",
        "DELETE FROM core_auditrecord WHERE seq = {first}",
    ],
    "audit_chain_unbroken": [
        "DELETE FROM core_auditseal WHERE number = 2",
        "UPDATE core_auditseal SET sealed_at = sealed_at - interval '1 day' WHERE number = 2",
    ],
    "audit_trail_is_read_only": [
        "GRANT UPDATE (reason) ON core_auditrecord TO quittance_app",
        "GRANT INSERT ON core_auditseal TO PUBLIC",
        "ALTER TABLE core_auditrecord DISABLE TRIGGER core_auditrecord_append_only",
    ],
}


@pytest.mark.parametrize(("name", "sql"), [(name, sql) for name, all_ in BREAKS.items() for sql in all_])
def test_the_audit_finds_what_it_is_for(sealed: list[int], name: str, sql: str) -> None:
    queries = {each.name: each.sql for each in INVARIANTS}
    with owner_connection() as owner:
        if "TABLE" not in sql and "GRANT" not in sql:
            for table in ("core_auditrecord", "core_auditseal"):
                owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        assert not owner.execute(queries["audit_blocks_hold"].encode()).fetchall()
        owner.execute(sql.format(first=sealed[0]).encode())
        assert owner.execute(queries[name].encode()).fetchall()
        owner.rollback()
    assert set(BREAKS) == NAMES


def test_the_application_does_not_write_seals(sealed: list[int]) -> None:
    for table in ("core_auditseal", "core_auditrecord", "core_auditfence"):
        for sql in (f"INSERT INTO {table} SELECT * FROM {table}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(DatabaseError, match="permission denied"):
                run(sql)
    for sql in ("DELETE FROM core_auditseal", "UPDATE core_auditseal SET number = number"):
        with pytest.raises(psycopg.Error, match="append-only"):
            as_owner(sql)


def test_every_column_is_sealed() -> None:
    """A column that is added later must be put under the seal, or be named here with the reason."""
    assert {field.column for field in AuditRecord._meta.local_fields} == {
        *("seq", "merchant_id", "actor", "action", "subject", "reason", "detail", "request_id"),
        "recorded_at",
    }
