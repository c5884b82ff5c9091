"""The nightly run: every business day of every source that is over and has no file yet is fetched.

A day is done when a file about it counts. Until then it is looked at again and again, with growing pauses;
what fails with one day or one source stops no other. Two schedulers meet the same row (core.job_runs).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import structlog

from core import clock
from core.failpoints import failpoint
from core.history import SYSTEM
from core.ids import public_id, uuid7
from core.job_runs import Outcome, Ran, keep, missed_dates, run_job
from core.models import JobRun
from core.transactions import forbids_transaction
from payouts.selectors import is_business_day
from reconciliation.fetchers.contract import DayFetcher, Fetched, FetchFailed, NotYet
from reconciliation.fetchers.registry import DAY_FETCHERS
from reconciliation.ingest.receive import receive_file
from reconciliation.models import SettlementFile
from reconciliation.sources.days import day_of, last_day_over
from reconciliation.sources.errands import DayErrand
from reconciliation.sources.reading import enabled_sources
from reconciliation.sources.standing import Standing, files_about, standing_of
from reconciliation.sources.sweeping import sweep_source
from reconciliation.sources.types import Day, SourceData
from reconciliation.types import ReceivedFile

__all__ = ["JOB", "Tally", "fetch_day", "fetch_due", "missing_days"]

log = structlog.get_logger(__name__)
JOB = "reconciliation.fetch"
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=30)
# A provider that says "not yet" has its reasons.
_NOT_YET_PAUSE = timedelta(minutes=5)
_READ = ("PUBLISHED", "SUPERSEDED", "DUPLICATE")


class _DayIsOpen(Exception):
    """The run of a day is not done: its file is not there, or does not count yet."""


@dataclass
class Tally:
    """What one look at the sources came to."""

    received: int = 0
    done: int = 0
    failed: int = 0


@forbids_transaction
def fetch_due(*, seconds: float = 100.0, sources: Iterable[SourceData] | None = None) -> Tally:
    """Look at every source once, until the time is over; nothing is raised for one that fails.

    They begin with another one at each start, so that none waits for ever behind slow ones.
    """
    ends, tally = time.monotonic() + seconds, Tally()
    for source in _turned(list(sources) if sources is not None else enabled_sources()):
        if time.monotonic() > ends:
            break
        try:
            _fetch_source(source, tally, ends)
        except Exception:  # The other sources do not wait for it; the watch tells of days without files.
            tally.failed += 1
            log.exception("settlement_source_failed", source=source.name, source_id=str(source.id))
    return tally


@forbids_transaction
def fetch_day(*, source: SourceData, day: date, by: str) -> int:
    """Fetch one day now because somebody asks, whether it is done or not; return how many files are new.

    Raises NotYet, FetchFailed, and what `receive_file` raises; FetchFailed as well for a source that nothing
    is fetched from, and a day that is not over.
    """
    fetcher = DAY_FETCHERS.get(source.settings.fetcher)
    if fetcher is None:
        raise FetchFailed("files of this source are not fetched by day")
    if day > last_day_over(source.settings, clock.now()):
        raise FetchFailed("this day is not over")
    errand = DayErrand(
        source,
        day_of(source.settings, day),
        operation_id=uuid7(),
        # A number that no run of the day has: this is another question.
        kept={"number": int(clock.now().timestamp())},
        remember=lambda facts: None,
    )
    return sum(each.is_new for each in _receive_all(source, fetcher.fetch(errand), by))


def missing_days(source: SourceData, at: datetime) -> list[date]:
    """Return the business days that are over and not done, oldest first."""
    last = last_day_over(source.settings, at)
    if last < source.settings.begins_on:
        return []
    days = missed_dates(job=JOB, scope=str(source.id), first=source.settings.begins_on, through=last)
    return [day for day in days if is_business_day(source.settings.calendar, day)]


def _turned(sources: list[SourceData]) -> list[SourceData]:
    start = int(clock.now().timestamp() // 60) % len(sources) if sources else 0
    return sources[start:] + sources[:start]


def _fetch_source(source: SourceData, tally: Tally, ends: float) -> None:
    tally.received += sweep_source(source)
    days = missing_days(source, clock.now())
    if not days:
        return
    standings = standing_of(days, files_about(source, days[0], days[-1]))
    waiting = _waiting(source, days)
    fetcher = DAY_FETCHERS.get(source.settings.fetcher)
    for day in days:
        if time.monotonic() > ends:
            break
        standing, files = standings[day]
        if standing is Standing.COUNTS:
            names = [public_id("stl", each.id) for each in files]
            tally.done += _run(source, day, _found(names)) is Outcome.DONE
        elif fetcher is not None and standing is not Standing.OPEN and waiting.get(day, "") <= _now():
            _try(source, day, fetcher, tally)


def _try(source: SourceData, day: date, fetcher: DayFetcher, tally: Tally) -> None:
    try:
        # Open is as it should be: it is done when its file counts, which the next looks see.
        with suppress(_DayIsOpen):
            _run(source, day, _DayWork(source, day_of(source.settings, day), fetcher, tally).work)
    except Exception:  # The days after it do not wait for it (F-H16).
        tally.failed += 1
        log.exception("settlement_day_failed", source=source.name, day=str(day))


def _run(source: SourceData, day: date, work: Callable[[Ran], dict[str, Any]]) -> Outcome:
    return run_job(job=JOB, scope=str(source.id), business_date=day, work=work)


def _found(names: list[str]) -> Callable[[Ran], dict[str, Any]]:
    def found(run: Ran) -> dict[str, Any]:
        failpoint("settlement_days.before_done")
        return {"files": names}

    return found


class _DayWork:
    """One try to fetch one day, by whoever holds its run."""

    def __init__(self, source: SourceData, day: Day, fetcher: DayFetcher, tally: Tally) -> None:
        self.source, self.day, self.fetcher, self.tally = source, day, fetcher, tally

    def work(self, run: Ran) -> dict[str, Any]:
        """Fetch and receive; return what the day's files are if they count already.

        Raises _DayIsOpen while they do not, which is what follows on a download; and what is a fault of ours.
        """
        files = files_about(self.source, self.day.day, self.day.day)
        standing, found = standing_of([self.day.day], files)[self.day.day]
        if standing is Standing.COUNTS:
            return {"files": [public_id("stl", each.id) for each in found]}
        # Somebody was faster: what the one before us brought, or when it wants to try again.
        if standing is Standing.OPEN or run.kept.get("again_at", "") > _now():
            raise _DayIsOpen
        try:
            said = self._bring(run)
            if said is not None:
                return said
        except NotYet as error:
            pause = timedelta(0) if error.is_under_way else _NOT_YET_PAUSE
            self._note(run, says=str(error), failures=0, pause=pause)
        except FetchFailed as error:
            self._failed(run, str(error))
        except Exception as error:
            self._failed(run, f"{type(error).__name__}: {error}")
            raise
        raise _DayIsOpen

    def _bring(self, run: Ran) -> dict[str, Any] | None:
        """Receive what the provider has; return what that makes of the day, if it is over with it."""
        errand = DayErrand(
            self.source,
            self.day,
            operation_id=run.id,
            kept=dict(run.kept.get("fetcher", {})),
            remember=lambda facts: keep(run, {**run.kept, "fetcher": facts}),
        )
        fetched = self.fetcher.fetch(errand)
        failpoint("settlement_days.fetched")
        received = _receive_all(self.source, fetched, SYSTEM)
        failpoint("settlement_days.received")
        new = sum(each.is_new for each in received)
        self.tally.received += new
        if new:
            # What was fetched may be refused, or provisional: then it is fetched again, and not at once.
            self._note(run, says="received", failures=0, pause=_NOT_YET_PAUSE)
            return None
        empty = _empty_ones(received)
        if empty and any(each.declared for each in fetched):
            self._again(run, "the provider made payouts, and its report of them is empty")
            return None
        if empty:
            # The same bytes say of every day on which nothing happened that nothing happened.
            self.tally.done += 1
            return {"files": empty, "says": "nothing happened, as on other days"}
        self._again(run, "the provider sent what is known already")
        return None

    def _failed(self, run: Ran, error: str) -> None:
        self.tally.failed += 1
        day = str(self.day.day)
        log.warning("settlement_fetch_failed", source=self.source.name, day=day, error=error[:300])
        self._again(run, error)

    def _again(self, run: Ran, says: str) -> None:
        """Try again later, and later each time."""
        failures = int(run.kept.get("failures", 0)) + 1
        pause = min(_FIRST_PAUSE * 2 ** min(failures - 1, 10), _LONGEST_PAUSE)
        self._note(run, says=says, failures=failures, pause=pause)

    def _note(self, run: Ran, *, says: str, failures: int, pause: timedelta) -> None:
        noted = {"says": says[:500], "failures": failures, "at": _shown(clock.now())}
        keep(run, {**run.kept, **noted, "again_at": _shown(clock.now() + pause)})


def _receive_all(source: SourceData, fetched: Sequence[Fetched], by: str) -> list[ReceivedFile]:
    with ExitStack() as bodies:
        for each in fetched:
            bodies.enter_context(each.body)
        return [_receive(source, each, by) for each in fetched]


def _receive(source: SourceData, fetched: Fetched, by: str) -> ReceivedFile:
    return receive_file(
        source_id=source.id,
        name=fetched.name,
        body=fetched.body,
        origin=source.settings.fetcher,
        by=by,
        asked_from=fetched.asked_from,
        asked_to=fetched.asked_to,
        declared_digest=f"sha256:{fetched.sha256}" if fetched.sha256 else "",
        declared_controls=fetched.declared,
    )


def _empty_ones(received: Sequence[ReceivedFile]) -> list[str]:
    """Return the ids of the files if all of them were read to their end and have no lines; else none."""
    ids = [each.file_id for each in received]
    rows = SettlementFile.objects.filter(pk__in=ids, lines_count=0, status__in=_READ)
    found = [row.public_id for row in rows.order_by("pk")]
    return found if len(found) == len(set(ids)) else []


def _waiting(source: SourceData, days: list[date]) -> dict[date, str]:
    """When each day that was tried is to be tried again (ISO, UTC)."""
    runs = JobRun.objects.filter(
        job=JOB, scope=str(source.id), business_date__range=(days[0], days[-1]), finished_at=None
    )
    return {run.business_date: str(run.summary.get("again_at", "")) for run in runs}


def _now() -> str:
    return _shown(clock.now())


def _shown(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds")
