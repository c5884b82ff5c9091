"""Celery's view of the system: start a drain, run the audits, seal. The work itself is in the database."""

import logging
from datetime import timedelta

from celery import shared_task

from core import clock
from core.alerts import escalate
from core.audit_seals import advance_audit_fence, seal_audit_trail
from core.audits import AuditReport, run_audits
from core.drain import get_drain
from core.failpoints import failpoint
from core.figures import keep_figures
from core.idempotency import forget
from core.job_runs import Ran, renew, run_job
from core.limits.counters import prune
from core.nudges import acknowledge
from core.transactions import at_edge
from core.watch import watch_kernel

log = logging.getLogger(__name__)
_PRUNED_AT_ONCE = 10_000
# A stored answer is promised for 31 days; a day more, so that no clock of a store makes it less.
_ANSWERS_KEPT = timedelta(days=32)
_FORGOTTEN_AT_ONCE = 20_000


@shared_task(name="core.run_drain")
def run_drain(*, name: str, **_newer: object) -> None:
    """Run one drain until nothing is due."""
    failpoint("drain.started")
    acknowledge(name)
    get_drain(name).run()


@shared_task(name="core.audit")
def audit(**_newer: object) -> None:
    """Check what is new and what was broken, and store the verdicts."""
    _tell(run_audits(full=False))


@shared_task(name="core.audit_full")
def audit_full(**_newer: object) -> None:
    """Check every invariant over everything, once for each date however often this is started."""
    run_job(job="core.audit_full", scope="all", business_date=clock.today(), work=_audit_everything)


def _audit_everything(run: Ran) -> dict[str, object]:
    report = run_audits(after_each=lambda _: renew(run))
    _tell(report)
    return {
        "is_clean": report.is_clean,
        "violated": [finding.name for finding in report.violated],
        "failed": [finding.name for finding in report.failed],
    }


def _tell(report: AuditReport) -> None:
    for finding in report.violated:
        log.error("invariant %s is broken: %s rows", finding.name, finding.violations)
    for finding in report.failed:
        log.error("invariant %s could not be examined: %s", finding.name, finding.sample)


@shared_task(name="core.seal_audit_trail")
def seal_trail(**_newer: object) -> None:
    """Move the fence of the audit trail, and seal what is below it."""
    advance_audit_fence()
    seal_audit_trail()


@shared_task(name="core.watch")
def watch(**_newer: object) -> None:
    """Raise alerts about dead letters and broken invariants, and escalate those that nobody dealt with."""
    at_edge(watch_kernel)()
    at_edge(escalate)()


@shared_task(name="core.prune_attempts")
def prune_attempts(**_newer: object) -> None:
    """Delete counts of attempts that are worth nothing any more."""
    at_edge(prune)(limit=_PRUNED_AT_ONCE)


@shared_task(name="core.forget_answers")
def forget_answers(**_newer: object) -> None:
    """Delete the answers to requests that nobody repeats any more; their keys are free again."""
    at_edge(forget)(before=clock.now() - _ANSWERS_KEPT, limit=_FORGOTTEN_AT_ONCE)


@shared_task(name="core.keep_figures")
def figures(**_newer: object) -> None:
    """Read the figures of the console's first page, so that each has a past to be compared with."""
    keep_figures()
