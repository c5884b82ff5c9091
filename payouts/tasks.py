"""Celery's view of pay-out: what beat starts now and then. The work itself is in the services."""

import logging

from celery import shared_task

from payouts.services import run_schedules

__all__ = ["pay_on_schedule"]

log = logging.getLogger(__name__)


@shared_task(name="payouts.run_schedules")
def pay_on_schedule(**_newer: object) -> None:
    """Pay the sellers whose day it is, of every merchant whose business day is over."""
    if done := run_schedules():
        log.info("runs of scheduled payouts: %s", done)
