"""What the harness does to the database as its owner."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import psycopg
from django.conf import settings
from django.db import connection

from config.env import database_from_url

__all__ = ["as_owner", "end_other_sessions", "login", "truncate_everything"]

# Filled by migrations, so emptying them would break the installation under test.
KEPT = {
    "core_auditfence",
    "ledger_fence",
    "django_migrations",
    "django_content_type",
    "auth_permission",
    "auth_group",
    "auth_group_permissions",
}


def login(login: dict[str, Any]) -> None:
    """Make the default connection log in so from now on (USER, PASSWORD, OPTIONS), closing the last pool."""
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(login)


def end_other_sessions() -> None:
    """End what killed processes left behind on the server: a backend at work does not notice their end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        )


def owner_connection() -> psycopg.Connection[Any]:
    """Open a connection to the test database as its owner."""
    owner = database_from_url(settings.DATABASE_OWNER_URL)
    return psycopg.connect(
        dbname=connection.settings_dict["NAME"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        host=owner["HOST"],
        port=owner["PORT"],
        options="-c lock_timeout=5000",
    )


def as_owner(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Run one statement as the owner and return its rows."""
    with owner_connection() as owner, owner.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


@cache
def _truncate_sql(database: str) -> str:
    tables = [
        name
        for (name,) in as_owner("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
        if name not in KEPT
    ]
    guarded = as_owner(
        "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND tgtype & 32 = 32"
    )
    off = "".join(f"ALTER TABLE {table} DISABLE TRIGGER {trigger};" for table, trigger in guarded)
    on = "".join(f"ALTER TABLE {table} ENABLE TRIGGER {trigger};" for table, trigger in guarded)
    return f"{off} TRUNCATE {', '.join(tables)}; {on}"


def truncate_everything() -> None:
    """Empty every table that migrations do not fill; the guards are off only inside this transaction."""
    connection.close()
    as_owner(_truncate_sql(connection.settings_dict["NAME"]))
