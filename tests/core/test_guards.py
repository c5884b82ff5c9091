"""PostgreSQL itself refuses what the application must never do."""

import pytest
from django.db import DatabaseError, connection, transaction

from core import clock
from core.history import move
from core.models import DeadLetter, StatusChange

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
DECISION = {"reason": "x", "decided_by": "user:1", "decided_at": clock.now()}


def letter() -> DeadLetter:
    return DeadLetter.objects.create(queue="q", subject="op_1", error="boom", attempts=3, died_at=clock.now())


def run(sql: str, *params: object) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def test_the_suite_logs_in_as_the_application_role() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT session_user, current_user")
        assert cursor.fetchone() == ("quittance_app", "quittance_app")


def test_illegal_change_is_refused_by_the_database() -> None:
    row = letter()
    with transaction.atomic():
        move(row, row.to_dropped, why="x", by="user:1", **DECISION)
    with pytest.raises(DatabaseError, match="may not change from DROPPED to REPLAYED"):
        run("UPDATE core_deadletter SET status = 'REPLAYED' WHERE id = %s", row.pk)


def test_illegal_first_state_is_refused_by_the_database() -> None:
    row = letter()
    with pytest.raises(DatabaseError, match="must start as OPEN"):
        run(
            "INSERT INTO core_deadletter"
            " (id, queue, subject, error, detail, attempts, status, reason, decided_by, died_at)"
            " SELECT gen_random_uuid(), 'q', 'op_2', error, detail, 1, 'DROPPED', '', '', died_at"
            " FROM core_deadletter WHERE id = %s",
            row.pk,
        )


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE core_statuschange SET reason = 'x'",
        "DELETE FROM core_statuschange",
        "TRUNCATE core_statuschange",
    ],
)
def test_history_cannot_be_rewritten(sql: str, owner_sql) -> None:
    row = letter()
    with transaction.atomic():
        move(row, row.to_dropped, why="x", by="user:1", **DECISION)
    with pytest.raises(DatabaseError, match="permission denied"):
        run(sql)
    with pytest.raises(Exception, match="append-only"):
        owner_sql(sql)
    assert StatusChange.objects.filter(subject_id=row.pk).count() == 1
