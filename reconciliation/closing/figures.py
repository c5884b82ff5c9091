"""The figures of a day: all that its report says, as JSON. Amounts are minor units, written as text.

`books` is what the books and the files of the day say: it must be the same when the day is signed. `noted` is
how things stood when the day was prepared: breaks, adjustments, audits; it goes on changing afterwards.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from core.canonical import digest
from core.ids import public_id
from core.money import format_minor
from ledger.selectors import clearing_totals, day_positions
from ledger.types import DayPosition
from reconciliation.closing.sources import excuses_of, position_figures, source_figures, sources_of
from reconciliation.internal.checks import internal_checks
from reconciliation.internal.clearing import late_keys
from reconciliation.internal.lateness import late_before
from reconciliation.models import Adjustment, Discrepancy

__all__ = ["VERSION", "books_digest", "books_figures", "noted_figures"]

VERSION = 1
# The dearest rows of a list; how many there are and what they add up to is said beside them.
_MOST = 200
_BUCKETS = ((1, "0-1"), (3, "2-3"), (7, "4-7"), (30, "8-30"))
_OLDEST = "over 30"


def books_figures(*, merchant_id: UUID, day: date) -> dict[str, Any]:
    """Return what the books and the files say of a day, by effective date, over everything posted so far."""
    positions = day_positions(merchant_id=merchant_id, day=day)
    late = late_before(merchant_id=merchant_id, as_of=day)
    excuses = excuses_of(merchant_id=merchant_id, day=day)
    return {
        "positions": [position_figures(each) for each in positions],
        "totals": _totals(positions),
        "clearing": [
            {
                "role": each.role,
                "provider": each.provider or "",
                "currency": each.currency,
                "keys": each.keys,
                "balance_minor": str(each.balance_minor),
                "late_keys": each.late_keys,
                "late_minor": str(each.late_minor),
                "oldest_on": str(each.oldest_on),
            }
            for each in clearing_totals(merchant_id=merchant_id, as_of=day, late_before=late)
        ],
        "sources": [
            source_figures(each, day, positions, excuses.get(each.pk))
            for each in sources_of(merchant_id=merchant_id, day=day)
        ],
    }


def books_digest(books: dict[str, Any]) -> bytes:
    """Return the SHA-256 of what the books say."""
    return digest(books)


def noted_figures(*, merchant_id: UUID, day: date, now: datetime) -> dict[str, Any]:
    """Return how breaks, adjustments, late keys and audits stand now."""
    rows = Discrepancy.objects.filter(merchant_id=merchant_id)
    open_rows = list(rows.filter(business_date__lte=day).exclude(status="RESOLVED"))
    begin, end = _span(day)
    opened = rows.filter(created_at__gte=begin, created_at__lt=end)
    resolved = rows.filter(resolved_at__gte=begin, resolved_at__lt=end, status="RESOLVED")
    return {
        "at": _moment(now),
        "opened": _by_category(opened),
        "resolved": _by_category(resolved),
        "open": _by_age(open_rows, day),
        "open_count": len(open_rows),
        "open_rows": [_break(row, day) for row in _dearest(open_rows)],
        "adjustments": _adjustments(merchant_id, day),
        "late": _late(merchant_id, day),
        "checks": [
            {
                "name": each.name,
                "verdict": each.verdict,
                "audits": each.audits,
                "asked_at": _moment(each.asked_at) if each.asked_at else "",
                "bad": [{"name": bad.name, "violations": bad.violations} for bad in each.bad],
            }
            for each in internal_checks()
        ],
    }


def _late(merchant_id: UUID, day: date) -> list[dict[str, Any]]:
    """The keys that were late on the day: each is in a break, or has come to zero since."""
    still = {(each.key.account_id, each.key.clearing_key) for each in late_keys(merchant_id=merchant_id)}
    return [
        {
            "role": each.key.role,
            "provider": each.key.provider or "",
            "currency": each.key.currency,
            "key": each.key.clearing_key,
            "balance_minor": str(each.key.balance_minor),
            "opened_on": str(each.key.opened_on),
            "break": public_id("dsc", each.break_id) if each.break_id else "",
            "is_open": (each.key.account_id, each.key.clearing_key) in still,
        }
        for each in late_keys(merchant_id=merchant_id, as_of=day)[:_MOST]
    ]


def _totals(positions: Iterable[DayPosition]) -> list[dict[str, str]]:
    """By currency: the sums of both columns of the trial balance, and of the day's movements; each pair is
    equal."""
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for each in positions:
        found = sums[each.currency]
        found[0] += each.debit_minor
        found[1] += each.credit_minor
        found[2] += max(each.closing_minor, 0)
        found[3] += max(-each.closing_minor, 0)
    return [
        {
            "currency": currency,
            "day_debit_minor": str(found[0]),
            "day_credit_minor": str(found[1]),
            "debit_minor": str(found[2]),
            "credit_minor": str(found[3]),
        }
        for currency, found in sorted(sums.items())
    ]


def _span(day: date) -> tuple[datetime, datetime]:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return begin, begin + timedelta(days=1)


def _by_category(rows: Any) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for category, currency, minor in rows.values_list("category", "currency", "amount_minor"):
        sums[category, currency][0] += 1
        sums[category, currency][1] += minor
    return [
        {"category": category, "currency": currency, "count": count, "amount_minor": str(minor)}
        for (category, currency), (count, minor) in sorted(sums.items())
    ]


def _by_age(rows: Sequence[Discrepancy], day: date) -> list[dict[str, Any]]:
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        found = sums[row.category, row.currency, _bucket((day - row.business_date).days)]
        found[0] += 1
        found[1] += row.amount_minor
    return [
        {
            "category": category,
            "currency": currency,
            "days": bucket,
            "count": count,
            "amount_minor": str(minor),
        }
        for (category, currency, bucket), (count, minor) in sorted(sums.items())
    ]


def _bucket(days: int) -> str:
    return next((name for most, name in _BUCKETS if days <= most), _OLDEST)


def _dearest(rows: Sequence[Discrepancy]) -> list[Discrepancy]:
    return sorted(rows, key=lambda row: (-row.amount_minor, row.pk))[:_MOST]


def _break(row: Discrepancy, day: date) -> dict[str, Any]:
    return {
        "id": row.public_id,
        "class": row.break_class,
        "category": row.category,
        "status": row.status,
        "currency": row.currency,
        "amount_minor": str(row.amount_minor),
        "business_date": str(row.business_date),
        "age_days": (day - row.business_date).days,
        "owner": row.owner,
        "summary": row.summary,
    }


def _adjustments(merchant_id: UUID, day: date) -> list[dict[str, Any]]:
    """What was posted for breaks of the day: by which rule, or by whom and with whose yes."""
    rows = (
        Adjustment.objects.filter(merchant_id=merchant_id, business_date=day)
        .exclude(status__in=["PROPOSED", "REJECTED"])
        .select_related("discrepancy")
        .order_by("pk")
    )
    return [
        {
            "break": row.discrepancy.public_id,
            "template": row.template,
            "currency": row.currency,
            "amount_minor": str(row.amount_minor),
            "amount": format_minor(row.amount_minor, row.currency),
            "rule": f"{row.rule_name} {row.rule_version}" if row.automatic else "",
            "maker": row.maker,
            "checker": row.checker,
            "entry": str(row.entry_id or ""),
            "status": row.status,
        }
        for row in rows[:_MOST]
    ]


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
