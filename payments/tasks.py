"""Celery's view of pay-in: what beat starts now and then. The work itself is in the services."""

import logging

from celery import shared_task

from core.transactions import at_edge
from payments.services import (
    ask_about_disputes,
    probe_silent_channels,
    watch_disputes,
    watch_releases,
    watch_stuck,
    watch_webhooks,
)

__all__ = [
    "ask_disputes",
    "probe",
    "watch",
    "watch_dispute_deadlines",
    "watch_late_releases",
    "watch_stuck_payments",
]

log = logging.getLogger(__name__)


@shared_task(name="payments.probe")
def probe(**_newer: object) -> None:
    """Ask one thing of each provider that owes us outcomes and was asked nothing for a while."""
    at_edge(probe_silent_channels)()


@shared_task(name="payments.watch_webhooks")
def watch(**_newer: object) -> None:
    """Notice providers that have stopped telling."""
    at_edge(watch_webhooks)()


@shared_task(name="payments.watch_stuck")
def watch_stuck_payments(**_newer: object) -> None:
    """Open cases for payments whose outcome is overdue, and close those whose outcome came."""
    opened, closed = at_edge(watch_stuck)()
    if opened or closed:
        log.info("payments without an outcome: %s cases opened, %s closed", opened, closed)


@shared_task(name="payments.watch_disputes")
def watch_dispute_deadlines(**_newer: object) -> None:
    """Raise alerts for disputes whose time to answer is nearly over."""
    at_edge(watch_disputes)()


@shared_task(name="payments.ask_disputes")
def ask_disputes(**_newer: object) -> None:
    """Ask about open disputes of which nothing was heard for hours."""
    ask_about_disputes()


@shared_task(name="payments.watch_releases")
def watch_late_releases(**_newer: object) -> None:
    """Notice releases that are due and not done."""
    at_edge(watch_releases)()
