"""Celery's view of merchants: what beat starts now and then. The work itself is in the services."""

from celery import shared_task

from core.transactions import at_edge
from merchants.services import forget_nonces

__all__ = ["forget_old_nonces"]

_PORTION = 1000


@shared_task(name="merchants.forget_nonces")
def forget_old_nonces(**_newer: object) -> None:
    """Delete the nonces that no request can use any more, in portions that commit one by one."""
    while at_edge(forget_nonces)(limit=_PORTION) == _PORTION:
        pass
