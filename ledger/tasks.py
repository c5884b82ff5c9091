"""What the books need done from time to time, whoever posts or reads meanwhile."""

import logging
from datetime import timedelta

from celery import shared_task

from core import clock
from core.audit_seals import trail_root
from core.job_runs import Ran, run_job
from ledger.selectors import chain_root
from ledger.services import advance_checkpoints, advance_fence, seal_entries

log = logging.getLogger(__name__)
DAILY_ROOT = "ledger.daily_root"


@shared_task(name="ledger.keep")
def keep(**_newer: object) -> None:
    """Move the fence, fold what is below it into the checkpoints, and seal it."""
    advance_fence()
    advance_checkpoints()
    seal_entries()


@shared_task(name="ledger.daily_root")
def daily_root(**_newer: object) -> None:
    """Write down the roots of yesterday, once: in the job's summary, and in the log for whoever keeps it."""
    run_job(
        job=DAILY_ROOT,
        scope="all",
        business_date=clock.today() - timedelta(days=1),
        work=_write_down,
        atomically=True,
    )


def _write_down(run: Ran) -> dict[str, object]:
    summary: dict[str, object] = {}
    for chain, root in (
        ("ledger", chain_root(day=run.business_date)),
        ("audit", trail_root(day=run.business_date)),
    ):
        if root is not None:
            summary[chain] = {"block": root.block, "hash": root.hash}
            log.info(
                "daily root of %s: chain %s block %s hash %s",
                run.business_date,
                chain,
                root.block,
                root.hash,
            )
    return summary
