"""What pay-in does by the clock, beside its drain."""

from celery import shared_task

from core.transactions import at_edge
from payments.services import probe_silent_channels

__all__ = ["probe"]


@shared_task(name="payments.probe")
def probe(**_newer: object) -> None:
    """Ask one thing of each provider that owes us outcomes and was asked nothing for a while."""
    at_edge(probe_silent_channels)()
