"""Sources whose files arrive when they do: each look hands over what is there, and tells what is wrong."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from core import clock
from core.alerts import Alert, end_alert, raise_alert
from core.history import SYSTEM
from core.job_runs import Ran, keep, run_job
from core.models import JobRun
from core.transactions import at_edge, forbids_transaction, requires_transaction
from reconciliation.fetchers.contract import Fetched, FetchFailed
from reconciliation.fetchers.registry import SWEEPERS
from reconciliation.ingest.receive import receive_file
from reconciliation.sources.types import SourceData

__all__ = ["SWEEP_JOB", "UNUSABLE", "UNUSABLE_ALERT", "sweep_source"]

SWEEP_JOB = "reconciliation.sweep"
UNUSABLE = "settlement_folder_unusable"
UNUSABLE_ALERT = Alert(
    UNUSABLE,
    "Files in a settlement folder are not taken",
    "The folder is missing, or something in it cannot be received. What is there stays there.",
    timedelta(hours=4),
)


class _GoesOn(Exception):
    """The run of a day goes on until the day is over."""


@forbids_transaction
def sweep_source(source: SourceData) -> int:
    """Receive what lies ready at a source of this sort; return how many files. 0 for other sources.

    One run a day holds what the last look saw, so that two looks at once do not meet.
    """
    if source.settings.fetcher not in SWEEPERS:
        return 0
    today, taken = clock.today(), [0]

    def work(run: Ran) -> dict[str, Any]:
        taken[0] = _sweep(source, run)
        raise _GoesOn

    runs = JobRun.objects.filter(job=SWEEP_JOB, scope=str(source.id), finished_at=None)
    for day in list(runs.filter(business_date__lt=today).values_list("business_date", flat=True)):
        run_job(job=SWEEP_JOB, scope=str(source.id), business_date=day, work=lambda run: run.kept)
    with suppress(_GoesOn):  # The next look goes on from what this one saw.
        run_job(job=SWEEP_JOB, scope=str(source.id), business_date=today, work=work)
    return taken[0]


def _sweep(source: SourceData, run: Ran) -> int:
    def receive(fetched: Fetched) -> None:
        receive_file(source_id=source.id, name=fetched.name, body=fetched.body, origin="folder", by=SYSTEM)

    sweeper = SWEEPERS[source.settings.fetcher]
    try:
        swept = sweeper.sweep(source, run.kept.get("seen", {}), receive)
    except FetchFailed as error:
        at_edge(_tell)(source, [str(error)])
        return 0
    before = int(run.kept.get("taken", 0))
    keep(
        run,
        {"seen": {name: list(state) for name, state in swept.seen.items()}, "taken": before + swept.taken},
    )
    at_edge(_tell)(source, list(swept.problems))
    return swept.taken


@requires_transaction
def _tell(source: SourceData, problems: list[str]) -> None:
    if not problems:
        end_alert(
            UNUSABLE, subject=source.public_id, resolution="The folder was read and holds nothing else."
        )
        return
    raise_alert(
        UNUSABLE,
        subject=source.public_id,
        summary=f"{source.name}: {problems[0]}",
        detail={"source_id": str(source.id), "problems": problems[:20]},
        merchant_id=source.merchant_id,
    )
