"""A provider on paper: what it has of each day, and what it does when it is asked."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest

from channels.types import ChannelData
from core import clock
from reconciliation.fetchers import registry
from reconciliation.fetchers.contract import Errand, Fetched, FetchFailed, NotYet
from reconciliation.types import SourceData, SourceSettings
from tests.channels.lines import open_merchant
from tests.reconciliation.setup import set_up

__all__ = ["TODAY", "Paper"]

TODAY = date(2026, 11, 9)  # a Monday


class Paper:
    """A way of fetching, and the provider at its end."""

    name, title = "paper", "On paper"

    def __init__(self) -> None:
        self.has: dict[date, bytes | Callable[[], bytes]] = {}
        self.asked: list[date] = []

    def why_not(self, settings: SourceSettings, channel: ChannelData | None) -> str:
        """Everything goes on paper."""
        return ""

    def fetch(self, errand: Errand) -> Sequence[Fetched]:
        """What it has; or a failure where it has none."""
        day = errand.day.day
        self.asked.append(day)
        found = self.has.get(day)
        if found is None:
            raise FetchFailed("the provider is down")
        body = found() if callable(found) else found
        if not body:
            raise NotYet("there is none yet")
        return [Fetched(f"{day}.csv", BytesIO(body), asked_from=errand.day.first, asked_to=day)]


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    """The provider."""
    made = Paper()
    monkeypatch.setitem(registry.FETCHERS, "paper", made)
    monkeypatch.setitem(registry.DAY_FETCHERS, "paper", made)
    return made


@pytest.fixture
def merchant_id(db: None, hooks: Path) -> UUID:
    """Whose sources they are, early on a Monday in November."""
    now = clock.now()
    begins = now.replace(year=TODAY.year, month=TODAY.month, day=TODAY.day, hour=1, minute=0, second=0)
    clock.move(seconds=int((begins - now).total_seconds()))
    return open_merchant()


@pytest.fixture
def source(merchant_id: UUID, paper: Paper) -> SourceData:
    """Expected for the last three days."""
    return set_up(merchant_id, fetcher="paper", begins_on=TODAY - timedelta(days=3))
