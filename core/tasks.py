"""Celery's view of the system: start a drain, run the audits. The work itself is in the database."""

import logging

from celery import shared_task

from core.audits import run_audits
from core.drain import get_drain
from core.failpoints import failpoint
from core.nudges import acknowledge

log = logging.getLogger(__name__)


@shared_task(name="core.run_drain")
def run_drain(*, name: str, **_newer: object) -> None:
    """Run one drain until nothing is due."""
    failpoint("drain.started")
    acknowledge(name)
    get_drain(name).run()


@shared_task(name="core.audit")
def audit(**_newer: object) -> None:
    """Check every invariant and store the verdicts."""
    report = run_audits()
    if not report.is_clean:
        log.error("invariants are broken: %s", ", ".join(finding.name for finding in report.violated))
