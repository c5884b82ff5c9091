"""How a connection from the pool is looked at before it is used."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection
from psycopg_pool import ConnectionPool

from core.postgresql import base
from core.postgresql.base import check_connection
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Pool = ConnectionPool[psycopg.Connection[Any]]


@pytest.fixture
def pool() -> Iterator[Pool]:
    """One connection, looked at in our way."""
    login = connection.settings_dict
    address = psycopg.conninfo.make_conninfo(
        dbname=login["NAME"],
        user=login["USER"],
        password=login["PASSWORD"],
        host=login["HOST"],
        port=login["PORT"],
    )
    with ConnectionPool(
        address, min_size=1, max_size=1, open=False, check=check_connection, kwargs={"autocommit": True}
    ) as made:
        made.wait(10)
        yield made


def _session(pool: Pool) -> int:
    """Use a connection and give it back; return which process of the server it has."""
    with pool.connection() as line:
        row = line.execute("SELECT pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def _end(pool: Pool, session: int) -> psycopg.Connection[Any]:
    """End the session on the server; return its connection, which the pool still has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [session])
    line: psycopg.Connection[Any] = pool._pool[0]
    eventually(lambda: base._has_news(line), within=5, what="the end of the session has arrived")
    return line


def test_what_answered_a_moment_ago_is_not_asked_again(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look asks, the next does not, and a second later it does again."""
    asked: list[object] = []
    monkeypatch.setattr(ConnectionPool, "check_connection", staticmethod(asked.append))
    assert _session(pool) == _session(pool)
    assert len(asked) == 1
    monkeypatch.setattr(base, "_TRUSTED_SECONDS", 0.0)
    _session(pool)
    assert len(asked) == 2


def test_a_session_that_the_server_ended_is_not_used(pool: Pool) -> None:
    """F-E1: however short ago it answered."""
    session = _session(pool)
    assert session == _session(pool)
    _end(pool, session)
    assert _session(pool) != session


def test_control_without_the_look_it_would_be_used(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    session = _session(pool)
    _end(pool, session)
    monkeypatch.setattr(base, "_has_news", lambda line: False)
    monkeypatch.setattr(base, "_TRUSTED_SECONDS", 60.0)
    with pytest.raises(psycopg.OperationalError):
        _session(pool)


def test_the_pool_of_the_application_looks_so() -> None:
    database: Any = connection
    database.ensure_connection()
    assert database.pool._check is check_connection
