"""One running system for all tests of this folder; each test opens a merchant of its own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core import failpoints
from tests.faults import matrix
from tests.faults.shop import Shop, open_shop
from tests.stack import Stack
from tests.whole import running_stack, shared_database


@pytest.fixture(scope="package")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The URL of the test database as the application's login; nothing is rolled back or flushed."""
    yield from shared_database(django_db_blocker)


@pytest.fixture(scope="package")
def whole_stack(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Web, two workers, beat, sandbox and broker; stopped before any test of another folder runs."""
    yield from running_stack(tmp_path_factory.mktemp("stack"), database)


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
