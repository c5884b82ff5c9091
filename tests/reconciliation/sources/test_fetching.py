"""The nightly run: every day once, none skipped, none in the way of another."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier, Condition
from uuid import UUID

import pytest
from django.db import connection

from core import clock, job_runs
from core.models import JobRun
from core.transactions import at_edge
from reconciliation.fetchers.contract import FetchFailed
from reconciliation.services import fetch_day, fetch_due, set_source_enabled, watch_files
from reconciliation.sources.at_desk import days_at_desk
from reconciliation.sources.fetching import JOB
from reconciliation.types import SourceData
from tests.reconciliation.setup import BY, activity, files_of, runs, set_up, stage
from tests.reconciliation.sources.conftest import TODAY, Paper

pytestmark = pytest.mark.django_db
DAYS = [TODAY - timedelta(days=number) for number in (3, 2, 1)]


def pass_time(**span: int) -> None:
    """Let time pass."""
    clock.move(seconds=int(timedelta(**span).total_seconds()))


def test_an_outage_is_made_up_for_in_order(source: SourceData, paper: Paper) -> None:
    """Three days are over and none is there: each is fetched once, the oldest first, and is done for good."""
    paper.has = {day: activity(day) for day in DAYS}
    assert fetch_due().received == 3
    assert paper.asked == DAYS
    fetch_due()
    assert paper.asked == DAYS, "what is being read is not fetched again"
    stage()
    assert fetch_due().done == 3
    pass_time(hours=20)
    fetch_due()
    assert paper.asked == DAYS
    assert all(runs(source)[day].finished_at for day in DAYS)


def test_a_day_that_fails_stops_no_other(source: SourceData, paper: Paper) -> None:
    """F-H16: the days after it, and the days of other sources, are fetched all the same."""
    other = set_up(source.merchant_id, fetcher="paper", begins_on=DAYS[2])
    paper.has = {DAYS[0]: activity(DAYS[0]), DAYS[2]: activity(DAYS[2])}
    tally = fetch_due()
    assert (tally.received, tally.failed) == (3, 1)
    assert [file.asked_to for file in files_of(source)] == [DAYS[0], DAYS[2]]
    assert [file.asked_to for file in files_of(other)] == [DAYS[2]]
    assert runs(source)[DAYS[1]].summary["says"] == "the provider is down"
    paper.has[DAYS[1]] = activity(DAYS[1])
    pass_time(minutes=2)
    stage()
    assert fetch_due().received == 1
    stage()
    fetch_due()
    assert [bool(run.finished_at) for _, run in sorted(runs(source).items())] == [True] * 3


def test_an_error_of_ours_is_kept_and_stops_no_other(source: SourceData, paper: Paper) -> None:
    def broken() -> bytes:
        raise ZeroDivisionError("ours")

    paper.has = {day: activity(day) for day in DAYS} | {DAYS[0]: broken}
    assert (fetch_due().received, len(files_of(source))) == (2, 2)
    assert runs(source)[DAYS[0]].summary["says"] == "ZeroDivisionError: ours"


def test_what_fails_is_tried_again_with_growing_pauses(source: SourceData, paper: Paper) -> None:
    """One minute, two, four; never more than half an hour."""
    pauses = []
    for _ in range(7):
        fetch_due()
        asked = len(paper.asked)
        fetch_due()
        assert len(paper.asked) == asked
        pauses.append(minutes_until_again(source, DAYS[0]))
        pass_time(minutes=pauses[-1], seconds=2)
    assert pauses == [1, 2, 4, 8, 16, 30, 30]


def minutes_until_again(source: SourceData, day: date) -> int:
    from datetime import datetime

    again = datetime.fromisoformat(runs(source)[day].summary["again_at"])
    return round((again - clock.now()).total_seconds() / 60)


def test_a_refused_file_is_fetched_again(source: SourceData, paper: Paper) -> None:
    """The provider corrects it: the good one is another body about the same day."""
    good = activity(DAYS[0])
    paper.has = {DAYS[0]: good.replace(b"10.00,0.00", b"10.00,0.01"), DAYS[1]: activity(DAYS[1])}
    fetch_due()
    stage()
    assert [file.status for file in files_of(source)] == ["REFUSED", "PUBLISHED"]
    paper.has[DAYS[0]] = good
    pass_time(minutes=6)
    fetch_due()
    stage()
    fetch_due()
    assert [file.status for file in files_of(source)] == ["REFUSED", "PUBLISHED", "PUBLISHED"]
    assert runs(source)[DAYS[0]].finished_at


def test_what_the_provider_still_writes_is_fetched_again(
    source: SourceData, paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-H23: the first download is provisional and is not the end; the second one stands in its place."""
    from reconciliation.formats import stripe

    real = stripe.Totals
    half = {"is": True}
    monkeypatch.setattr(stripe, "Totals", lambda: real(is_complete=not half["is"]))
    paper.has = {DAYS[0]: activity(DAYS[0], ["10.00"])}
    fetch_due()
    stage()
    assert [file.status for file in files_of(source)] == ["PROVISIONAL"]
    fetch_due()
    assert runs(source)[DAYS[0]].finished_at is None
    half["is"] = False
    paper.has = {DAYS[0]: activity(DAYS[0], ["10.00", "7.00"])}
    pass_time(minutes=6)
    fetch_due()
    stage()
    fetch_due()
    assert [file.status for file in files_of(source)] == ["SUPERSEDED", "PUBLISHED"]
    assert runs(source)[DAYS[0]].finished_at


def test_a_file_that_people_brought_is_not_fetched(source: SourceData, paper: Paper) -> None:
    from io import BytesIO

    from reconciliation.services import receive_file

    receive_file(
        source_id=source.id, name="x.csv", body=BytesIO(activity(DAYS[0])), origin="upload", by=BY,
        asked_from=DAYS[0], asked_to=DAYS[0],
    )  # fmt: skip
    fetch_due()
    assert paper.asked == DAYS[1:]
    stage()
    fetch_due()
    assert runs(source)[DAYS[0]].finished_at


def test_quiet_days_have_the_same_empty_file(source: SourceData, paper: Paper) -> None:
    """No body is stored twice (I34): a day on which nothing happened is done by the empty file of another.

    Not by one that nobody has read yet, and not by a file with lines, which are about their own day.
    """
    paper.has = {DAYS[0]: activity(DAYS[0], []), DAYS[1]: activity(DAYS[1], []), DAYS[2]: activity(DAYS[2])}
    assert fetch_due().received == 2
    assert runs(source)[DAYS[1]].finished_at is None
    stage()
    pass_time(hours=20)
    assert at_edge(watch_files)() == (0, 0), "it is covered since the body came again"
    fetch_due()
    assert runs(source)[DAYS[1]].summary["files"] == [files_of(source)[0].public_id]
    assert [each.standing.value for each in days_at_desk(source)][1:] == ["counts"] * 3


def test_the_file_of_another_day_is_no_file_of_this_one(source: SourceData, paper: Paper) -> None:
    """A provider that sends yesterday's file again has not sent today's."""
    paper.has = dict.fromkeys(DAYS[:2], activity(DAYS[0]))
    fetch_due()
    stage()
    pass_time(minutes=2)
    fetch_due()
    fetch_due()
    assert runs(source)[DAYS[1]].finished_at is None and runs(source)[DAYS[0]].finished_at
    assert runs(source)[DAYS[1]].summary["says"] == "the provider sent what is known already"


def test_no_file_is_expected_on_holidays_and_of_today(merchant_id: UUID, paper: Paper) -> None:
    """Saturday and Sunday are in the file of Monday, which is not over."""
    set_up(merchant_id, fetcher="paper", begins_on=TODAY - timedelta(days=7), calendar="WEEKDAYS")
    paper.has = {day: activity(day) for day in (TODAY - timedelta(days=n) for n in range(8))}
    fetch_due()
    assert paper.asked == [TODAY - timedelta(days=number) for number in (7, 6, 5, 4, 3)]
    pass_time(days=1)
    fetch_due()
    assert paper.asked[-1] == TODAY
    files = [file for file in files_of_all(merchant_id) if file[1] == TODAY]
    assert files == [(TODAY - timedelta(days=2), TODAY)]


def files_of_all(merchant_id: UUID) -> list[tuple[date, date]]:
    from reconciliation.models import SettlementFile

    rows = SettlementFile.objects.filter(merchant_id=merchant_id)
    return list(rows.values_list("asked_from", "asked_to"))


def test_a_source_that_is_off_is_left_alone(source: SourceData, paper: Paper) -> None:
    at_edge(set_source_enabled)(
        merchant_id=source.merchant_id, source_id=source.id, is_enabled=False, by=BY, reason="closed"
    )
    fetch_due()
    assert paper.asked == []


def test_a_person_may_ask_for_a_day_again(source: SourceData, paper: Paper) -> None:
    """Also when it is done; a day that is not over cannot be asked for."""
    paper.has = {day: activity(day) for day in DAYS}
    fetch_due()
    stage()
    fetch_due()
    assert fetch_day(source=source, day=DAYS[0], by=BY) == 0
    paper.has[DAYS[0]] = activity(DAYS[0], ["10.00", "1.00"])
    assert fetch_day(source=source, day=DAYS[0], by=BY) == 1
    stage()
    assert [file.status for file in files_of(source)][::3] == ["SUPERSEDED", "PUBLISHED"]
    with pytest.raises(FetchFailed, match="not over"):
        fetch_day(source=source, day=TODAY, by=BY)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_claimed", [True, False], ids=["claimed", "control"])
def test_two_schedulers_fetch_a_day_once(
    merchant_id: UUID, paper: Paper, monkeypatch: pytest.MonkeyPatch, is_claimed: bool
) -> None:
    """Both are under way at the same time; without the claim of the day both fetch it, and only I34 holds."""
    source = set_up(merchant_id, fetcher="paper", begins_on=DAYS[2])
    if not is_claimed:
        monkeypatch.setattr(job_runs, "_claim", _no_claim)
    start, met, ended = Barrier(2, timeout=10), list[bool](), list[bool]()
    changed = Condition()

    def body() -> bytes:
        """The download goes on until the other one has come here as well, or gave up."""
        with changed:
            met.append(True)
            changed.notify_all()
            assert changed.wait_for(lambda: len(met) == 2 or ended, timeout=20)
        return activity(DAYS[2])

    paper.has = {DAYS[2]: body}

    def beat() -> None:
        start.wait()
        try:
            fetch_due()
        finally:
            connection.close()
            with changed:
                ended.append(True)
                changed.notify_all()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: beat(), range(2)))
    assert len(met) == (1 if is_claimed else 2)
    assert len(files_of(source)) == 1
    assert JobRun.objects.filter(job=JOB, scope=str(source.id)).count() == 1


def _no_claim(job: str, scope: str, business_date: date, lease: timedelta) -> job_runs.Ran:
    """Whoever asks gets the run of the day, whether somebody has it or not."""
    now = clock.now()
    row = JobRun(job=job, scope=scope, business_date=business_date, started_at=now, leased_until=now)
    JobRun.objects.bulk_create([row], ignore_conflicts=True)
    return job_runs.Ran(JobRun.objects.get(job=job, scope=scope, business_date=business_date))


def test_the_names_of_sources_are_in_the_audit_trail(source: SourceData) -> None:
    from core.models import AuditRecord

    [told] = AuditRecord.objects.filter(action="settlement_source.create", subject=source.public_id)
    assert (told.actor, told.reason, told.detail["name"]) == (BY, "test", source.name)
