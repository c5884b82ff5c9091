"""Which day it is where a source is."""

from datetime import date
from zoneinfo import ZoneInfo

from core import clock
from reconciliation.models import SettlementSource

__all__ = ["today_of"]


def today_of(source: SettlementSource) -> date:
    """Return the business day that it is now in the zone of a source."""
    return clock.now().astimezone(ZoneInfo(source.time_zone)).date()
