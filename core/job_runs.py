"""Scheduled jobs: each is done once for one scope and business date, however often it is started.

Two schedulers, a scheduler that starts late and a person who presses the button again all meet the same
unique row. A run whose process died is taken over when its lease has ended.
"""

from collections.abc import Callable
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Max
from django.db.models.functions import Now

from core import clock
from core.ids import uuid7
from core.locks import lock_job_run
from core.models import JobRun
from core.transactions import forbids_transaction

__all__ = [
    "Outcome",
    "Ran",
    "RunLost",
    "Work",
    "catch_up",
    "keep",
    "last_done",
    "missed_dates",
    "renew",
    "run_job",
]

Work = Callable[["Ran"], dict[str, Any] | None]
_LEASE = timedelta(minutes=10)


class Outcome(StrEnum):
    """What starting a job led to."""

    DONE = "done"
    ALREADY_DONE = "already_done"
    RUNNING_ELSEWHERE = "running_elsewhere"


class RunLost(Exception):
    """Another process took the run over, because the lease ended before the work did."""


class Ran:
    """The right to do one run: what the work function is given. `attempt` fences off an older claimer.

    `kept` is what an earlier start of the same run left with `keep`.
    """

    __slots__ = ("attempt", "business_date", "id", "job", "kept", "scope")

    def __init__(self, run: JobRun) -> None:
        self.id: UUID = run.pk
        self.job, self.scope, self.business_date = run.job, run.scope, run.business_date
        self.attempt = run.attempts
        self.kept: dict[str, Any] = run.summary


@forbids_transaction
def run_job(
    *,
    job: str,
    scope: str,
    business_date: date,
    work: Work,
    lease: timedelta = _LEASE,
    atomically: bool = False,
) -> Outcome:
    """Do the job for this scope and date unless it is done, or being done by somebody else.

    `work` gets the run and returns a summary for people. With `atomically` the work and the mark "done"
    commit together, so that even a crash cannot make it happen twice. Without it, work that manages its
    own transactions is started again after a crash, and must find what it has done already; long work
    calls `renew`. Whatever `work` raises is raised here, and the next start may try again.
    """
    run = _claim(job, scope, business_date, lease)
    if isinstance(run, Outcome):
        return run
    try:
        if atomically:
            with transaction.atomic(durable=True):
                _assert_ours(run)
                _finish(run, work(run))
        else:
            summary = work(run)
            with transaction.atomic(durable=True):
                _assert_ours(run)
                _finish(run, summary)
    except RunLost:
        raise
    except BaseException:
        _give_up(run)
        raise
    return Outcome.DONE


@forbids_transaction
def renew(run: Ran, *, lease: timedelta = _LEASE) -> None:
    """Keep a long run from being taken over. Raises RunLost when it was."""
    with transaction.atomic(durable=True):
        _assert_ours(run)
        JobRun.objects.filter(pk=run.id).update(leased_until=Now() + lease)


@forbids_transaction
def keep(run: Ran, facts: dict[str, Any]) -> None:
    """Keep what another start of an unfinished run must know; it replaces what was kept before.

    Durable when this returns, so that a key is kept before the call that it is for. Raises RunLost.
    """
    with transaction.atomic(durable=True):
        _assert_ours(run)
        JobRun.objects.filter(pk=run.id).update(summary=facts)
    run.kept = facts


def missed_dates(*, job: str, scope: str, first: date, through: date) -> list[date]:
    """Return the business dates up to `through` (inclusive) that are not done, oldest first.

    Looks at every date from `first`, so that a hole in the middle is found as well.
    """
    done = set(
        JobRun.objects.filter(
            job=job, scope=scope, business_date__range=(first, through), finished_at__isnull=False
        ).values_list("business_date", flat=True)
    )
    days = (through - first).days + 1
    return [day for day in (first + timedelta(days=n) for n in range(days)) if day not in done]


@forbids_transaction
def catch_up(
    *,
    job: str,
    scope: str,
    first: date,
    through: date,
    work: Work,
    lease: timedelta = _LEASE,
    atomically: bool = False,
) -> list[date]:
    """Run every missed date once, in order; return the dates that were done now.

    Stops at a date that another process is running, because a later date builds on an earlier one.
    """
    done = []
    for day in missed_dates(job=job, scope=scope, first=first, through=through):
        outcome = run_job(
            job=job, scope=scope, business_date=day, work=work, lease=lease, atomically=atomically
        )
        if outcome is Outcome.RUNNING_ELSEWHERE:
            break
        if outcome is Outcome.DONE:
            done.append(day)
    return done


def last_done(*, job: str, scope: str) -> date | None:
    """Return the newest business date that is done."""
    newest: date | None = JobRun.objects.filter(job=job, scope=scope, finished_at__isnull=False).aggregate(
        newest=Max("business_date")
    )["newest"]
    return newest


def _claim(job: str, scope: str, business_date: date, lease: timedelta) -> Ran | Outcome:
    now = clock.now()
    with transaction.atomic(durable=True):
        # The lease runs on the database's clock, like every lease: hosts disagree about the time.
        JobRun.objects.bulk_create(
            [
                JobRun(
                    id=uuid7(),
                    job=job,
                    scope=scope,
                    business_date=business_date,
                    started_at=now,
                    leased_until=now,
                    attempts=0,
                )
            ],
            ignore_conflicts=True,
        )
        free = JobRun.objects.filter(job=job, scope=scope, business_date=business_date, finished_at=None)
        won = free.exclude(attempts__gt=0, leased_until__gt=Now()).update(
            leased_until=Now() + lease, attempts=F("attempts") + 1, started_at=now
        )
        run = JobRun.objects.get(job=job, scope=scope, business_date=business_date)
    if won:
        return Ran(run)
    return Outcome.ALREADY_DONE if run.finished_at else Outcome.RUNNING_ELSEWHERE


def _assert_ours(run: Ran) -> None:
    row = lock_job_run(run_id=run.id)
    if row.attempts != run.attempt or row.finished_at is not None:
        raise RunLost(f"{run.job} {run.scope} {run.business_date} was taken over")


def _finish(run: Ran, summary: dict[str, Any] | None) -> None:
    JobRun.objects.filter(pk=run.id).update(finished_at=clock.now(), summary=summary or {})


def _give_up(run: Ran) -> None:
    """End the lease now, so that the next start need not wait for it."""
    with transaction.atomic(durable=True):
        JobRun.objects.filter(pk=run.id, attempts=run.attempt, finished_at=None).update(leased_until=Now())
