"""One running system for all tests of this folder; each test opens a merchant of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from core import failpoints
from tests.database import truncate_everything
from tests.faults import matrix
from tests.faults.shop import Shop, open_shop
from tests.stack import Stack


@pytest.fixture(scope="package")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The URL of the test database as the application's login; nothing is rolled back or flushed."""
    with django_db_blocker.unblock():
        yield "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        truncate_everything()


@pytest.fixture(scope="package")
def whole_stack(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web, two workers, beat, sandbox and broker; stopped before any test of another folder runs."""
    running = Stack(tmp_path_factory.mktemp("stack"), database_url=database)
    with override_settings(
        TEST_HOOKS=True, HOOKS_DIR=str(running.hooks), WEBHOOK_ALLOWED_NETWORKS=["127.0.0.1/32"]
    ):
        try:
            running.start("broker", "sandbox", "web", "worker-1", "worker-2", "beat")
            yield running
        finally:
            running.stop()


@pytest.fixture
def stack(whole_stack: Stack) -> Iterator[Stack]:
    """The running system with no fault armed, before and after."""
    _calm(whole_stack)
    yield whole_stack
    _calm(whole_stack)


def _calm(stack: Stack) -> None:
    failpoints.disarm()
    stack.control("DELETE", "faults")
    stack.control("DELETE", "store/behaviours")
    stack.control("POST", "webhooks", {"mode": "send"})


@pytest.fixture
def shop(stack: Stack) -> Shop:
    """A new merchant whose provider sends webhooks."""
    return open_shop(stack)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run this folder's tests together, so that the system is started once, and judge the matrix last."""
    here = Path(__file__).parent
    items.sort(key=lambda item: (here in item.path.parents, item.name == "test_no_cell_is_empty"))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the crash matrix, if any of it was run."""
    for line in matrix.table():
        terminalreporter.write_line(line)
