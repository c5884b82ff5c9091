"""What pay-in does by the clock, beside its drains. The work itself is in the services."""

import logging

from celery import shared_task

from core.transactions import at_edge
from payments.services import probe_silent_channels, watch_webhooks

__all__ = ["probe", "watch"]

log = logging.getLogger(__name__)


@shared_task(name="payments.probe")
def probe(**_newer: object) -> None:
    """Ask one thing of each provider that owes us outcomes and was asked nothing for a while."""
    at_edge(probe_silent_channels)()


@shared_task(name="payments.watch_webhooks")
def watch(**_newer: object) -> None:
    """Notice providers that have stopped telling."""
    for name in at_edge(watch_webhooks)():
        log.error("no webhook over %s while money flows", name)
