"""The system as `make run` starts it, with the demo merchant, on processes, ports and a clock of its own."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from ops.demo import connect_sandbox
from tests.night.world import World
from tests.stack import Stack
from tests.whole import running_stack, shared_database


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """See `shared_database`."""
    yield from shared_database(django_db_blocker)


@pytest.fixture(scope="module")
def system(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """See `running_stack`. Not that of another folder: days pass in this one."""
    yield from running_stack(
        tmp_path_factory.mktemp("night"), database, STATEMENT_TIMEOUT_MS="30000", ENVIRONMENT="TEST"
    )


@pytest.fixture(scope="module")
def world(system: Stack) -> World:
    """The demo merchant, introduced to the sandbox as the launcher does it."""
    place = system.folder / "demo.json"
    with override_settings(DEBUG=True):
        call_command("demo_data", sandbox_url=system.sandbox_url, file=str(place), verbosity=0)
    facts = json.loads(place.read_text()) | {"api_url": system.web_url, "sandbox_url": system.sandbox_url}
    connect_sandbox(facts=facts)
    world = World(facts, system.hooks)
    # The provider's signatures are of its own day, which is ours.
    world.control("POST", "webhooks", {"signature_clock": "sandbox"})
    return world
