"""Celery's view of reconciliation: what beat starts now and then. The work itself is in the services."""

import logging

from celery import shared_task

from core.transactions import at_edge
from merchants.selectors import merchant_ids
from reconciliation.selectors import bank_sources, sources_to_watch
from reconciliation.services import (
    adjust_what_waits,
    age_clearing,
    drop_lapsed_proposals,
    fetch_due,
    look_again,
    prove_found_deposits,
    watch_files,
    watch_overdue,
    watch_source,
)

__all__ = [
    "age_clearing_accounts",
    "clear_expected",
    "fetch",
    "watch",
    "watch_bank",
    "watch_breaks",
]

log = logging.getLogger(__name__)


@shared_task(name="reconciliation.clear_expected")
def clear_expected(**_newer: object) -> None:
    """Open breaks for what no file had in time, and end those whose payment is known by now."""
    for source_id in sources_to_watch():
        try:
            while any(done := look_again(source_id=source_id)):
                log.info("source %s: %s breaks opened, %s ended", source_id, *done)
        except Exception:  # The other sources do not wait for it; the next tick tries again.
            log.exception("source %s could not be looked at", source_id)


@shared_task(name="reconciliation.fetch")
def fetch(**_newer: object) -> None:
    """Fetch the settlement files of every business day that is over and has none yet."""
    tally = fetch_due()
    if tally.received or tally.failed:
        log.info("settlement files: %s received, %s tries failed", tally.received, tally.failed)


@shared_task(name="reconciliation.watch_files")
def watch(**_newer: object) -> None:
    """Open cases for settlement files that are late, and close those of files that came."""
    opened, closed = at_edge(watch_files)()
    if opened or closed:
        log.info("late settlement files: %s cases opened, %s closed", opened, closed)


@shared_task(name="reconciliation.watch_bank")
def watch_bank(**_newer: object) -> None:
    """Open and end breaks of what the bank should have shown, and tell of deposits that people found."""
    for source_id in bank_sources():
        try:
            opened, ended = at_edge(watch_source)(source_id=source_id)
        except Exception:  # The other accounts do not wait for it; the next tick tries again.
            log.exception("bank source %s could not be watched", source_id)
            continue
        if opened or ended:
            log.info("bank source %s: %s breaks opened, %s ended", source_id, opened, ended)
    for merchant_id in merchant_ids():
        prove_found_deposits(merchant_id=merchant_id)


@shared_task(name="reconciliation.watch_breaks")
def watch_breaks(**_newer: object) -> None:
    """Let rules close what was found outside of a run, give back what lapsed, and tell of what is overdue."""
    log.info(
        "breaks: %s entries by rules, %s proposals lapsed, %s overdue",
        adjust_what_waits(),
        drop_lapsed_proposals(),
        watch_overdue(),
    )


@shared_task(name="reconciliation.age_clearing")
def age_clearing_accounts(**_newer: object) -> None:
    """Open breaks for keys of clearing accounts that are over their time, and end those that came to zero."""
    for merchant_id in merchant_ids():
        try:
            while at_edge(age_clearing)(merchant_id=merchant_id)[0]:
                log.info("merchant %s: breaks of late clearing keys were opened", merchant_id)
        except Exception:  # The other merchants do not wait for it; the next tick tries again.
            log.exception("the clearing accounts of merchant %s could not be aged", merchant_id)
