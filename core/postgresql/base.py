"""The database backend that the settings name: Django's, but for how a pooled connection is looked at."""

import select
import time
from typing import Any

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool

__all__ = ["DatabaseWrapper", "check_connection"]

# After this time a connection is asked again although nothing speaks against it: only that finds a server
# which vanished without a word.
_TRUSTED_SECONDS = 1.0


class DatabaseWrapper(base.DatabaseWrapper):
    """Django asks the server before each request whether the connection lives: one round trip in seven."""

    @property
    def pool(self) -> Any:
        """Return the pool of this process, None where there is none."""
        found: Any = super().pool
        # Django passes its own check to the pool and takes no other.
        if found is not None and found._check is not None:
            found._check = check_connection
        return found


def check_connection(connection: "psycopg.Connection[Any]") -> None:
    """Return if a connection from the pool can be used; raise the driver's OperationalError if not.

    The server never speaks first, except to say that it ends the session. So a connection that answered less
    than a second ago, and on which nothing has arrived since, is alive; every other one is asked.
    """
    now = time.monotonic()
    answered_at: float = getattr(connection, "answered_at", 0.0)
    if now - answered_at < _TRUSTED_SECONDS and not _has_news(connection):
        return
    ConnectionPool.check_connection(connection)
    connection.answered_at = now  # type: ignore[attr-defined]


def _has_news(connection: "psycopg.Connection[Any]") -> bool:
    """Say whether something arrived on an idle connection: the end of it, or a notice."""
    if connection.closed:
        return True
    line = select.poll()
    line.register(connection.fileno(), select.POLLIN)
    return bool(line.poll(0))
