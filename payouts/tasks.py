"""Celery's view of pay-out: what beat starts now and then. The work itself is in the services."""

import logging

from celery import shared_task

from core.transactions import at_edge
from payouts.services import reconsider, run_schedules, watch_payouts

__all__ = ["look_again", "pay_on_schedule", "watch"]

log = logging.getLogger(__name__)


@shared_task(name="payouts.reconsider")
def look_again(**_newer: object) -> None:
    """Let payouts go that nothing stops any more, and ask anew for a yes that nobody can give any more."""
    freed, asked = reconsider()
    if freed or asked:
        log.info("payouts that waited: %s may leave, %s were asked about again", freed, asked)


@shared_task(name="payouts.watch")
def watch(**_newer: object) -> None:
    """Open cases for payouts that take too long, and close those that do not any more."""
    opened, closed = at_edge(watch_payouts)()
    if opened or closed:
        log.info("payouts that take too long: %s cases opened, %s closed", opened, closed)


@shared_task(name="payouts.run_schedules")
def pay_on_schedule(**_newer: object) -> None:
    """Pay the sellers whose day it is, of every merchant whose business day is over."""
    if done := run_schedules():
        log.info("runs of scheduled payouts: %s", done)
