"""Celery's view of pay-in: what beat starts now and then. The work itself is in the services."""

import logging

from celery import shared_task

from core.transactions import at_edge
from payments.services import watch_webhooks

log = logging.getLogger(__name__)


@shared_task(name="payments.watch_webhooks")
def watch(**_newer: object) -> None:
    """Notice providers that have stopped telling."""
    for name in at_edge(watch_webhooks)():
        log.error("no webhook over %s while money flows", name)
