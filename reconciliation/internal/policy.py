"""What people may set about clearing accounts."""

from typing import Any

from core.settings_store import Declared
from ledger.chart import CHART, CLEARING_ROLES

__all__ = ["CLEARING_DAYS", "SETTINGS"]

CLEARING_DAYS = "reconciliation.clearing_days"


def _check(value: dict[str, Any]) -> None:
    for role, days in value.items():
        clears = CHART[role].clears if role in CHART else None
        if role not in CLEARING_ROLES or clears is None or clears.sla_hours is None:
            raise ValueError(f"{role} is no account that must come to zero in a time")
        if type(days) is not int or not 1 <= days <= 400:
            raise ValueError(f"{role}: a number of days from 1 to 400")


SETTINGS = (
    Declared(
        CLEARING_DAYS,
        "After how many days a key of a clearing account is late, by role; the chart says it for every other"
        " role. Days of the bank for what the bank moves, calendar days for the rest. The scope is a mer_….",
        dict,
        {},
        _check,
    ),
)
