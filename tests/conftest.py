"""The harness: the suite creates its database as the owner and then logs in as the application role."""

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, connections
from django.db.models.signals import pre_migrate
from django.test import TransactionTestCase
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from config.env import database_from_url
from core import clock
from core.provisioning import default_privilege_statements
from tests.database import as_owner, end_other_sessions, login, truncate_everything
from tests.limits import keep_limits

hypothesis_settings.register_profile(
    "default", max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
hypothesis_settings.register_profile(
    "chaos", parent=hypothesis_settings.get_profile("default"), max_examples=2000
)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


# Tests of what surrounds the product: they start families of processes, or a browser, and wait for them.
_SURROUNDINGS = tuple(Path(__file__).parent / name for name in ("docs", "e2e", "ops", "sandbox"))
_TOO_SLOW = ["not within", "TimeoutExpired", "TimeoutError", "Timeout", "timed out"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let a wait that ran out in the surroundings be tried once more; the summary names it as a rerun.

    Only there and only for waits: what a test of the product reports about money is never asked twice.
    """
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in _SURROUNDINGS):
            item.add_marker(pytest.mark.flaky(reruns=1, only_rerun=_TOO_SLOW))


@pytest.fixture(scope="session")
def django_db_setup(
    request: pytest.FixtureRequest, django_test_environment: None, django_db_blocker: Any
) -> Iterator[None]:
    """Create and migrate the test database as owner; everything after that runs as quittance_app."""
    from django.test.utils import setup_databases, teardown_databases

    app_login = {key: connection.settings_dict[key] for key in ("USER", "PASSWORD", "OPTIONS")}
    # No pool and no time-outs: making a database may take longer than a payment.
    owner = {key: database_from_url(settings.DATABASE_OWNER_URL)[key] for key in app_login}
    with django_db_blocker.unblock():
        login(owner)
        pre_migrate.connect(_give_default_rights)
        config = setup_databases(
            verbosity=request.config.option.verbose, interactive=False, serialized_aliases=()
        )
        pre_migrate.disconnect(_give_default_rights)
        login(app_login)
    yield
    with django_db_blocker.unblock():
        end_other_sessions()
        login(owner)
        end_other_sessions()  # Of the owner too: a run that was interrupted may have left one at work.
        teardown_databases(config, verbosity=0)
    connections.close_all()


def _give_default_rights(**_: Any) -> None:
    """Rights hold per database, and the test database is a new one: give them before any table is made."""
    with connection.cursor() as cursor:
        for statement in default_privilege_statements(app="quittance_app", readonly="quittance_readonly"):
            cursor.execute(statement)


@pytest.fixture(scope="session", autouse=True)
def _flush_as_owner() -> Iterator[None]:
    """Empty the database after a TransactionTestCase without a back door in the append-only guards."""
    original = TransactionTestCase._fixture_teardown
    TransactionTestCase._fixture_teardown = lambda self: truncate_everything()  # type: ignore[method-assign]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[method-assign]


@pytest.fixture(scope="session", autouse=True)
def _limits_of_the_suite() -> None:
    """No limits by address, which is one for all tests; no look at the settings in the middle of a test."""
    settings.WEB_IN_FLIGHT = 1000
    keep_limits({})


@pytest.fixture
def limits(settings: Any) -> Iterator[Callable[..., None]]:
    """Set limits of the API for this test: limits({"key.list": (5, 1, 10)}, scope="mer_…")."""
    settings.LIMITS_REDIS_TIMEOUT = 10.0  # A slow machine is no outage.
    values: dict[str, dict[str, Any]] = {}

    def put(changes: Mapping[str, Any], *, scope: str = "") -> None:
        values.setdefault(scope, {}).update(changes)
        keep_limits(values)

    yield put
    keep_limits({})


@pytest.fixture
def hooks(tmp_path: Path, settings: Any) -> Iterator[Path]:
    """A folder of armed failpoints and the movable clock, for this test alone."""
    settings.TEST_HOOKS, settings.HOOKS_DIR = True, str(tmp_path)
    yield tmp_path


@pytest.fixture
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """The clock of this process stands still: for bounds that are exact to the second."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
    return moment


@pytest.fixture
def owner_sql(django_db_setup: None) -> Any:
    """Run SQL as the owner of the schema, on a connection of its own: owner_sql("…", [params])."""
    return as_owner
