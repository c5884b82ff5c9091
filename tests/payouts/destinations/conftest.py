from collections.abc import Iterator
from typing import Any

import pytest

from core.audits import run_audits
from payouts.destinations.audits import INVARIANTS
from tests.openapi.contract import check_events
from tests.payouts.destinations.cast import Sellers, open_sellers


@pytest.fixture
def sellers(db: None) -> Iterator[Sellers]:
    """A merchant with two sellers; events and the audits of destinations are looked at when it is over."""
    yield open_sellers()
    _look()


@pytest.fixture
def busy_sellers(transactional_db: None) -> Iterator[Sellers]:
    """The same, committed: for threads, and for what is done as the owner."""
    yield open_sellers()
    _look()


@pytest.fixture
def cooled(hooks: Any) -> Any:
    """Move the clock beyond every cool-down."""
    from core import clock

    return lambda: clock.move(seconds=15 * 24 * 3600)


def _look() -> None:
    check_events()
    # Payouts are rows here, without money behind them: that is for other audits, and other tests.
    report = run_audits(names=[each.name for each in INVARIANTS], store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
