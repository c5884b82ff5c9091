"""Days whose file is late: who must know, since when, and what was the matter when it was last looked for."""

from collections.abc import Collection
from datetime import date, datetime, timedelta

from core import clock
from core.alerts import Alert, end_alert, open_subjects, raise_alert
from core.ids import parse_public_id
from core.models import JobRun
from core.transactions import requires_transaction
from payouts.selectors import is_business_day
from reconciliation.models import SettlementSource
from reconciliation.sources.days import day_of
from reconciliation.sources.fetching import JOB, missing_days
from reconciliation.sources.reading import enabled_sources, to_data
from reconciliation.sources.standing import Standing, files_about, standing_of
from reconciliation.sources.types import SourceData

__all__ = ["LATE", "LATE_ALERT", "late_subject", "watch_files"]

LATE = "settlement_file_late"
LATE_ALERT = Alert(
    LATE,
    "Settlement files are late",
    "What the provider did on these days cannot be proved. The days after them are worked on as usual.",
    timedelta(hours=8),
)
# Of one source at one look: what is missing for a month needs no more cases, but a person.
_MOST = 31
_SAYS = {
    Standing.MISSING: "is not there",
    Standing.OPEN: "was received and is not read to its end",
    Standing.PROVISIONAL: "is there only in part: the provider was still writing",
    Standing.REFUSED: "was refused",
}


@requires_transaction
def watch_files() -> tuple[int, int]:
    """Open a case for each business day whose file does not count when it should, and close those that do.

    Returns how many were opened and closed. There is one open case for a day of a source.
    """
    opened = sum(_watch(source) for source in enabled_sources())
    return opened, _close()


def late_subject(source: SourceData, day: date) -> str:
    """Return what the case of a late day is about."""
    return f"{source.public_id}:{day.isoformat()}"


def _watch(source: SourceData) -> int:
    now = clock.now()
    late = [day for day in missing_days(source, now) if day_of(source.settings, day).due_at <= now][:_MOST]
    if not late:
        return 0
    standings = standing_of(late, files_about(source, late[0], late[-1]))
    runs = JobRun.objects.filter(job=JOB, scope=str(source.id), business_date__in=late)
    says = {run.business_date: str(run.summary.get("says", "")) for run in runs}
    return sum(
        _raise(source, day, standings[day][0], says.get(day, ""), now)
        for day in late
        if standings[day][0] is not Standing.COUNTS
    )


def _raise(source: SourceData, day: date, standing: Standing, says: str, now: datetime) -> bool:
    due = day_of(source.settings, day).due_at
    case = raise_alert(
        LATE,
        subject=late_subject(source, day),
        summary=f"{source.name}: the file of {day} {_SAYS[standing]}; due {due:%Y-%m-%d %H:%M} UTC",
        detail={
            "source_id": str(source.id),
            "day": day.isoformat(),
            "standing": standing.value,
            "last_look": says,
            "noticed_at": now.isoformat(timespec="seconds"),
        },
        merchant_id=source.merchant_id,
    )
    return case is not None


def _close() -> int:
    closed = 0
    days: dict[SourceData, list[date]] = {}
    for subject in open_subjects(LATE):
        name, _, text = subject.partition(":")
        source_id = parse_public_id(name, "src")
        row = SettlementSource.objects.filter(pk=source_id).first() if source_id else None
        if row is not None:
            days.setdefault(to_data(row), []).append(date.fromisoformat(text))
    for source, late in days.items():
        standings = standing_of(late, files_about(source, min(late), max(late)))
        open_days = set(missing_days(source, clock.now()))
        for day in late:
            is_done = standings[day][0] is Standing.COUNTS or _was_done(source, day, open_days)
            why = _over_because(source, day, is_done)
            if why:
                end_alert(LATE, subject=late_subject(source, day), resolution=why)
                closed += 1
    return closed


def _was_done(source: SourceData, day: date, open_days: Collection[date]) -> bool:
    """Without a file of its own: the provider's empty one was received for another day."""
    settings = source.settings
    is_expected = day >= settings.begins_on and is_business_day(settings.calendar, day)
    return is_expected and day not in open_days


def _over_because(source: SourceData, day: date, is_done: bool) -> str:
    if is_done:
        return "The file is there and counts."
    if not source.is_enabled:
        return "The source was switched off."
    settings = source.settings
    is_expected = day >= settings.begins_on and is_business_day(settings.calendar, day)
    if not is_expected or day_of(settings, day).due_at > clock.now():
        return "No file of this day is expected any more, or not yet."
    return ""
