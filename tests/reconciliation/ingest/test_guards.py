"""PostgreSQL itself keeps lines where they belong, and what was received as it was received."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from reconciliation.ingest.counting import ids_of
from reconciliation.types import ReceivedFile
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement, statement

pytestmark = [pytest.mark.database, pytest.mark.django_db]
TABLES = ("reconciliation_settlementline", "reconciliation_bankline")
_LINE = (
    "INSERT INTO reconciliation_settlementline SELECT %s, merchant_id, file_id, line_no + 1, batch, kind,"
    " raw_kind, reference, related, merchant_reference, currency, gross_minor, fee_minor,"
    " net_minor, original_currency, original_minor, rate, occurred_at, local_time, business_date,"
    " quarantine, raw FROM reconciliation_settlementline LIMIT 1"
)


@pytest.fixture
def published(desk: Desk) -> ReceivedFile:
    """A published file."""
    return desk.send(desk.source(), settlement(("a", 100), ("b", 200)))


@pytest.fixture
def booked(desk: Desk) -> ReceivedFile:
    """A published bank's file."""
    return desk.send(desk.source(kind="bank"), statement("1", 100, 10))


def refused(sql: str, *params: Any) -> bool:
    """Whether the application's role may not do that."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, params)
    except DatabaseError:
        return True
    return False


@pytest.mark.parametrize("table", TABLES)
def test_published_lines_stay(table: str, published: ReceivedFile, booked: ReceivedFile) -> None:
    """They are neither taken away nor changed nor added to."""
    assert refused(f"DELETE FROM {table}")
    assert refused(f"UPDATE {table} SET line_no = 0")
    assert refused(f"TRUNCATE {table}")


def test_lines_are_added_to_files_that_are_being_staged(desk: Desk, published: ReceivedFile) -> None:
    """Not to a published one, nor to none, nor to another merchant's."""
    first, _ = ids_of(desk.file(published).number)
    assert refused(_LINE, first + 99)
    assert refused(_LINE.replace("merchant_id, file_id", "merchant_id, gen_random_uuid()"), first + 99)


def test_an_open_file_takes_lines_of_its_own_merchant(desk: Desk, published: ReceivedFile) -> None:
    """The same statement, for a file that is being staged."""
    other = desk.receive(desk.source(), settlement(("c", 1)))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_settlementfile SET status = 'STAGING' WHERE id = %s", [other.file_id]
        )
    into = _LINE.replace("merchant_id, file_id", "%s::uuid, %s::uuid")
    first, _ = ids_of(desk.file(other).number)
    assert refused(into, first + 1, uuid4(), other.file_id)
    assert not refused(into, first + 1, desk.merchant_id, other.file_id)
    assert not refused("DELETE FROM reconciliation_settlementline WHERE id = %s", first + 1)


@pytest.mark.parametrize("column", ["name = 'x'", "sha256 = '\\x00'", "size = 1", "received_at = now()"])
def test_what_was_received_stays(desk: Desk, published: ReceivedFile, column: str) -> None:
    """A file's course changes, and nothing of what it is."""
    assert refused(f"UPDATE reconciliation_settlementfile SET {column}")
    assert refused("DELETE FROM reconciliation_settlementfile")


@pytest.mark.parametrize("sql", ["UPDATE {0} SET id = gen_random_uuid()", "DELETE FROM {0}", "TRUNCATE {0}"])
def test_bodies_and_differences_stay(published: ReceivedFile, sql: str) -> None:
    """Evidence is added to."""
    assert refused(sql.format("reconciliation_settlementfilepart"))
    assert refused(sql.format("reconciliation_linechange"))


def test_a_statement_keeps_its_figures(booked: ReceivedFile) -> None:
    """opening + lines = closing, as it was."""
    for column in ("opening_minor = 1", "total_minor = 0", "document = 'x'", "account = 'y'"):
        assert refused(f"UPDATE reconciliation_bankstatement SET {column}")


def test_a_file_and_its_source_have_one_owner(desk: Desk, booked: ReceivedFile) -> None:
    """A file of one merchant is not of another's source."""
    columns = (
        "id, number, merchant_id, source_id, name, sha256, size, packing, origin, received_by, document,"
    )
    columns += (
        " status, staged_lines, quarantined_count, totals, declared, received_at, updated_at, fence, attempts"
    )
    values = columns.replace("id, number, merchant_id,", "gen_random_uuid(), 999999, {},", 1)
    values = values.replace("sha256", "'\\x01'").replace("status", "'RECEIVED'").replace("document", "''")
    table = "reconciliation_settlementfile"
    sql = f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table}"
    assert refused(sql.format("gen_random_uuid()"))
    assert not refused(sql.format("merchant_id"))


def test_two_versions_of_a_document_never_count(desk: Desk, published: ReceivedFile) -> None:
    """I34: whoever writes the rows."""
    desk.send(desk.file(published).source, settlement(("a", 101)))
    assert refused(
        "UPDATE reconciliation_settlementfile SET status = 'PUBLISHED' WHERE status = 'SUPERSEDED'"
    )
