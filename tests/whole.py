"""The whole system for the tests of one folder: the database that real processes share, and the processes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.db import connection
from django.test import override_settings

from tests.database import truncate_everything
from tests.stack import Stack

__all__ = ["running_stack", "shared_database"]


def shared_database(django_db_blocker: Any) -> Iterator[str]:
    """The URL of the test database as the application's login; nothing is rolled back or flushed."""
    with django_db_blocker.unblock():
        yield "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        truncate_everything()


def running_stack(folder: Path, database: str, **settings: str) -> Iterator[Stack]:
    """Web, two workers, beat, sandbox and broker; stopped before any test of another folder runs."""
    running = Stack(folder, database_url=database, **settings)
    with override_settings(
        TEST_HOOKS=True, HOOKS_DIR=str(running.hooks), WEBHOOK_ALLOWED_NETWORKS=["127.0.0.1/32"]
    ):
        try:
            running.start("broker", "sandbox", "web", "worker-1", "worker-2", "beat")
            yield running
        finally:
            running.stop()
