"""Since when a key of a clearing account must have been open to be late.

Source: the chart of accounts, "Zero by". What the bank moves is counted in days of the bank, by the calendar
of the merchant's first bank source; everything else in calendar days.
"""

from datetime import date, timedelta
from uuid import UUID

from core.ids import public_id
from core.settings_store import get_setting
from ledger.chart import CHART, CLEARING_ROLES
from payouts.selectors import next_business_day
from reconciliation.internal.policy import CLEARING_DAYS
from reconciliation.models import SettlementSource

__all__ = ["late_before"]

_BANK = frozenset(
    ["psp_settlement_in_transit", "payouts_in_transit", "payout_returns", "suspense_payments",
     "suspense_receipts"]
)  # fmt: skip
_EVERY_DAY = "EVERY_DAY"
_DAY = timedelta(days=1)


def late_before(*, merchant_id: UUID, as_of: date) -> dict[str, date]:
    """Return, by role, the day before which a key that is late on `as_of` was opened.

    A key has its whole time: opened on day D with three days, it is late on the fourth day after D. Roles
    whose time each contract names are left out.
    """
    days = _days(merchant_id)
    calendar = _bank_calendar(merchant_id)
    found = {}
    for role, count in days.items():
        found[role] = _first_in_time(calendar if role in _BANK else _EVERY_DAY, as_of, count)
    return found


def _days(merchant_id: UUID) -> dict[str, int]:
    ours = get_setting(name=CLEARING_DAYS, scope=public_id("mer", merchant_id))
    found = {}
    for role in CLEARING_ROLES:
        clears = CHART[role].clears
        if clears is not None and clears.sla_hours is not None:
            found[role] = int(ours.get(role, clears.sla_hours // 24))
    return found


def _bank_calendar(merchant_id: UUID) -> str:
    source = SettlementSource.objects.filter(merchant_id=merchant_id, kind="bank").order_by("pk").first()
    return source.calendar if source else _EVERY_DAY


def _first_in_time(calendar: str, as_of: date, count: int) -> date:
    """The first day that is not over its time yet on `as_of`."""
    if calendar == _EVERY_DAY:
        return as_of - count * _DAY
    day = as_of
    while _due(calendar, day - _DAY, count) >= as_of:
        day -= _DAY
    return day


def _due(calendar: str, day: date, count: int) -> date:
    for _ in range(count):
        day = next_business_day(calendar, day)
    return day
