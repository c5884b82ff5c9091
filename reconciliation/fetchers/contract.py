"""What a way of fetching is: it brings bodies, and neither reads nor stores them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, BinaryIO, Protocol

from channels.types import ChannelData
from reconciliation.formats.contract import Control
from reconciliation.sources.types import Day, SourceData, SourceSettings

__all__ = ["DayFetcher", "Errand", "FetchFailed", "Fetched", "Fetcher", "NotYet", "Sweeper", "Swept"]


class FetchFailed(Exception):
    """It did not work; another try may. The text is for people."""


class NotYet(Exception):
    """The provider has no file of the day yet, and says so. The text is for people.

    With `is_under_way` it is writing one for us, and is asked again at the next opportunity.
    """

    def __init__(self, text: str, *, is_under_way: bool = False) -> None:
        self.is_under_way = is_under_way
        super().__init__(text)


@dataclass(frozen=True)
class Fetched:
    """One body as it came, at its beginning; whoever gets it closes it.

    `asked_…` is the period that was asked for, where one was. `sha256` (hex) is what the provider says the
    body's digest is, over a way that proves who says it; empty where it says nothing. `declared` is what the
    provider says elsewhere about its lines.
    """

    name: str
    body: BinaryIO
    asked_from: date | None = None
    asked_to: date | None = None
    sha256: str = ""
    declared: tuple[Control, ...] = ()


class Errand(Protocol):
    """One day of one source, on the way to its provider."""

    source: SourceData
    day: Day
    kept: dict[str, Any]

    def keep(self, facts: dict[str, Any]) -> None:
        """Replace what is kept until the day is done; durable before this returns."""

    def ask(self, kind: str, send: Callable[[Any], Any]) -> Any:
        """Make one call over the channel, keep the evidence, return its result. Raises FetchFailed."""

    def download(self, kind: str, url: str, to: BinaryIO) -> int:
        """Fetch a file into `to`, keep the evidence, return the HTTP status. Raises FetchFailed."""


class Fetcher(Protocol):
    """One way. Registered by its name, which sources refer to."""

    name: str
    title: str

    def why_not(self, settings: SourceSettings, channel: ChannelData | None) -> str:
        """Return why a source set up like this cannot be fetched from in this way; empty if it can."""


class DayFetcher(Fetcher, Protocol):
    """A way that is asked for the files of a day."""

    def fetch(self, errand: Errand) -> Sequence[Fetched]:
        """Return the files of the day, all of them. Raises NotYet, FetchFailed. Not in a transaction."""


@dataclass(frozen=True)
class Swept:
    """What a sweep did: how many files it handed over, what it saw, and what it could not take."""

    taken: int
    seen: Mapping[str, Sequence[int]]
    problems: Sequence[str] = ()


class Sweeper(Fetcher, Protocol):
    """A way by which files arrive when they do, whatever they are about."""

    def sweep(
        self,
        source: SourceData,
        seen: Mapping[str, Sequence[int]],
        receive: Callable[[Fetched], object],
    ) -> Swept:
        """Hand over every file that is whole, by name; `seen` is what the last sweep saw.

        `receive` commits before it returns, and raises DomainError for a file that is not taken. Raises
        FetchFailed where nothing can be looked at. Not in a transaction.
        """
