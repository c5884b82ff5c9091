"""A buyer with a real browser in the sandbox's store, which is connected to the whole running system."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from core import failpoints
from tests.e2e.buyer import Buyer
from tests.e2e.chromium import a_browser
from tests.e2e.place import Place, open_place
from tests.faults.shop import open_shop
from tests.stack import Stack
from tests.whole import running_stack, shared_database

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 375, "height": 760}


@pytest.fixture(scope="package")
def database(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """See `shared_database`."""
    yield from shared_database(django_db_blocker)


@pytest.fixture(scope="package")
def whole_stack(database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """See `running_stack`; the first payment, which waits until every process is up, is not a buyer's."""
    for stack in running_stack(tmp_path_factory.mktemp("stack"), database):
        shop = open_shop(stack)
        payment = shop.payment()
        shop.post_until_accepted(payment, within=60.0)
        shop.settle(payment, within=120.0)
        yield stack


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """See `a_browser`."""
    yield from a_browser()


@pytest.fixture
def place(whole_stack: Stack) -> Iterator[Place]:
    """A new merchant with the two sellers of the store, to which the store is connected."""
    failpoints.disarm()
    whole_stack.control("DELETE", "faults")
    whole_stack.control("POST", "webhooks", {"mode": "send"})
    yield open_place(whole_stack)
    whole_stack.control("DELETE", "faults")
    failpoints.disarm()


@pytest.fixture
def buyer(request: pytest.FixtureRequest, browser: Browser, place: Place) -> Iterator[Buyer]:
    """A buyer at a desk."""
    yield from _buyer(request, browser, place, DESKTOP)


@pytest.fixture(params=["desktop", "phone"])
def anybody(request: pytest.FixtureRequest, browser: Browser, place: Place) -> Iterator[Buyer]:
    """A buyer at a desk, then one with a phone."""
    yield from _buyer(request, browser, place, PHONE if request.param == "phone" else DESKTOP)


@pytest.fixture
def patient_buyer(request: pytest.FixtureRequest, browser: Browser, place: Place) -> Iterator[Buyer]:
    """A buyer whose browser runs no scripts."""
    yield from _buyer(request, browser, place, DESKTOP, java_script_enabled=False)


def _buyer(
    request: pytest.FixtureRequest, browser: Browser, place: Place, size: dict[str, int], **options: Any
) -> Iterator[Buyer]:
    context = browser.new_context(viewport=size, **options)
    context.set_default_timeout(30_000)
    pictures = os.environ.get("E2E_PICTURES")
    buyer = Buyer(context, place, Path(pictures) / request.node.name if pictures else None)
    yield buyer
    assert buyer.complaints == [], "the console of the browser stays empty"
    context.close()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run this folder's tests together, so that the system is started once."""
    here = Path(__file__).parent
    items.sort(key=lambda item: here in item.path.parents)
