"""What the first page measures: money, outcomes, doubts, breaks, payouts and the audits' verdict."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from core import clock
from core.figures import Measure, Tally
from core.models import AuditResult, AuditRun
from ledger.selectors import Asked, currencies_of, current_place, day_turnover, turnover_sum
from merchants.selectors import list_merchants
from payments.selectors import outcomes_by_hour, values_waiting
from payouts.selectors import values_in_state
from reconciliation.selectors import ageing

__all__ = [
    "AUDITS",
    "BREAKS",
    "COMING",
    "DAYS",
    "FIGURES",
    "IN_ROLES",
    "LEAVING",
    "MONEY",
    "OUT_ROLES",
    "PAYMENTS",
    "PAYOUTS",
    "UNKNOWN",
    "merchants_shown",
]

MONEY, PAYMENTS, UNKNOWN = "money", "payments", "unknown"
BREAKS, PAYOUTS, AUDITS = "breaks", "payouts", "audits"
# How many days the charts show.
DAYS = 14
# What buyers paid is debited here; what leaves to sellers and back to buyers is credited there.
IN_ROLES = ("psp_clearing", "cod_in_transit")
OUT_ROLES = ("payouts_in_transit", "refunds_in_transit")
# What is between us and a bank, on its way here and on its way out.
COMING = ("psp_clearing", "psp_settlement_in_transit", "cod_in_transit")
LEAVING = OUT_ROLES
_MOST_MERCHANTS = 5_000


def merchants_shown() -> tuple[str, list[UUID]]:
    """Return the mode whose money is shown, and its merchants: live, where there is a live one.

    Money of test merchants is no money; the two are never added up.
    """
    every = list_merchants(limit=_MOST_MERCHANTS)
    mode = "live" if any(each.mode == "live" for each in every) else "test"
    return mode, [each.id for each in every if each.mode == mode]


def _money() -> dict[str, Any]:
    """Read up to one place of the fence, which the links down from the figures name."""
    mode, merchants = merchants_shown()
    place, day = current_place(), clock.today()
    moved = day_turnover(
        merchants=merchants,
        roles={*IN_ROLES, *OUT_ROLES},
        first_day=day - timedelta(days=DAYS - 1),
        last_day=day,
        known=place,
    )
    days: dict[tuple[str, str], list[int]] = {}
    for each in moved:
        found = days.setdefault((each.currency, each.day.isoformat()), [0, 0])
        found[0] += each.debit_minor if each.role in IN_ROLES else 0
        found[1] += each.credit_minor if each.role in OUT_ROLES else 0
    return {
        "mode": mode,
        "place": place,
        "day": day.isoformat(),
        "days": [[currency, on, *minor] for (currency, on), minor in sorted(days.items())],
        "transit": _transit(merchants, place, day),
    }


def _transit(merchants: list[UUID], place: int, day: date) -> list[list[Any]]:
    found = []
    for currency in currencies_of(merchants=merchants, roles={*COMING, *LEAVING}):
        asked = Asked(
            merchants=merchants, roles=(), currency=currency, first_day=day, last_day=day, known=place
        )
        minor = [turnover_sum(asked=replace(asked, roles=roles)).closing_minor for roles in (COMING, LEAVING)]
        found.append([currency, minor[0], -minor[1]])
    return found


def _payments(first: datetime, until: datetime) -> Mapping[datetime, dict[str, Any]]:
    _mode, merchants = merchants_shown()
    return outcomes_by_hour(merchants=merchants, first=first, until=until)


def _unknown() -> dict[str, Any]:
    return {"values": [list(each) for each in values_waiting()]}


def _breaks() -> dict[str, Any]:
    rows = ageing(merchant_id=None)
    return {"rows": [[row.category, row.bucket, row.currency, row.count, row.value_minor] for row in rows]}


def _payouts() -> dict[str, Any]:
    return {"values": [list(each) for each in values_in_state("IN_REVIEW")]}


def _audits() -> dict[str, Any]:
    last = AuditRun.objects.order_by("-started_at").first()
    if last is None:
        return {"at": "", "is_clean": False, "broken": 0}
    bad = AuditResult.objects.filter(run=last, verdict__in=["violated", "failed"])
    return {
        "at": last.finished_at.isoformat(),
        "is_clean": last.is_clean,
        "broken": len(bad.values_list("pk")),
    }


FIGURES = (
    Measure(MONEY, _money),
    Measure(UNKNOWN, _unknown),
    Measure(BREAKS, _breaks),
    Measure(PAYOUTS, _payouts),
    Measure(AUDITS, _audits),
    Tally(PAYMENTS, _payments),
)
