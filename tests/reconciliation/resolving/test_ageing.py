"""How old breaks are, when they are due, and who is told."""

from datetime import UTC, datetime, timedelta

import pytest

from core import clock
from core.models import Case
from reconciliation.matching.calendar import due_after
from reconciliation.models import SettlementSource
from reconciliation.resolving.types import BreakFilters
from reconciliation.selectors import ageing, breaks_at_desk
from reconciliation.services import watch_overdue
from tests.reconciliation.resolving.conftest import Shop

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("calendar", "zone", "begin", "hours", "due"),
    [
        ("EVERY_DAY", "UTC", "2026-01-09T18:00", 48, "2026-01-11T18:00"),
        # Friday evening: six hours of Friday, Monday, and eighteen of Tuesday.
        ("TARGET2", "UTC", "2026-01-09T18:00", 48, "2026-01-13T18:00"),
        ("TARGET2", "UTC", "2026-01-10T12:00", 4, "2026-01-12T04:00"),
        # In New York it is still Friday.
        ("TARGET2", "America/New_York", "2026-01-10T03:00", 1, "2026-01-10T04:00"),
        ("TARGET2", "America/New_York", "2026-01-10T03:00", 3, "2026-01-12T06:00"),
        # The day on which the clocks go forward has 23 hours.
        ("EVERY_DAY", "Europe/Berlin", "2026-03-29T00:30", 24, "2026-03-30T00:30"),
    ],
)
def test_only_business_days_of_the_source_count(
    calendar: str, zone: str, begin: str, hours: int, due: str
) -> None:
    """DESIGN 9.5: SLA clocks run on the source's calendar, in its zone."""
    source = SettlementSource(calendar=calendar, time_zone=zone)
    start = datetime.fromisoformat(begin).replace(tzinfo=UTC)
    assert due_after(source, start, hours=hours) == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_breaks_are_counted_by_age_with_their_value(shop: Shop) -> None:
    """0-1, 2-3, 4-7, 8-30, >30 days; each break in one bucket, resolved ones in none."""
    for n in (1, 2, 3):
        shop.charge(f"pi_{n}", 10_000)
    shop.report("pi_1|charge|9800|0", "pi_2|charge|9700|0", "pi_3|charge|9999|0", "x|transfer|-500|0")
    now = clock.now()
    edges = ((0, "0-1"), (1.9, "0-1"), (2, "2-3"), (3.9, "2-3"), (7.9, "4-7"), (8, "8-30"), (31, ">30"))
    for days, bucket in edges:
        found = ageing(merchant_id=shop.merchant_id, at=now + timedelta(days=days))
        assert [(each.category, each.bucket, each.count, each.value_minor) for each in found] == [
            ("B", bucket, 2, 500), ("C", bucket, 1, 500),
        ]  # fmt: skip


def test_what_is_overdue_is_told_once_and_ends(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """One alert for a merchant, category and currency, with what is at stake."""
    for n in (1, 2):
        shop.charge(f"pi_{n}", 10_000)
    shop.report("pi_1|charge|9800|0", "pi_2|charge|9700|0")
    assert watch_overdue() == 0
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert [watch_overdue(), watch_overdue()] == [2, 2]
    case = Case.objects.get(kind="breaks_overdue", merchant_id=shop.merchant_id)
    assert (case.value_minor, case.currency, case.status) == (500, "EUR", "OPEN")
    for row in shop.rows():
        shop.settle(row, "A5")
    assert watch_overdue() == 0
    case.refresh_from_db()
    assert case.status == "CLOSED"


def test_queues_show_the_most_urgent_first_in_pages(shop: Shop) -> None:
    """Every break is in one queue, once, however small the pages are."""
    for n in range(5):
        shop.charge(f"pi_{n}", 10_000)
    shop.report(*(f"pi_{n}|charge|{9800 - n}|0" for n in range(4)), "pi_4|charge|9999|0", "x|transfer|-500|0")
    seen, after = [], None
    while True:
        page = breaks_at_desk(merchant_id=shop.merchant_id, queue="finance", after=after, limit=2)
        seen += page.rows
        after = page.after
        if after is None:
            break
    assert [each.amount_minor for each in seen] == [200, 201, 202, 203]
    assert [each.due_at for each in seen] == sorted(each.due_at for each in seen)
    [other] = breaks_at_desk(merchant_id=shop.merchant_id, queue="investigation").rows
    assert (other.category, other.source_name) == ("C", "psp")
    assert len(breaks_at_desk(merchant_id=shop.merchant_id, queue="all").rows) == 6

    def found(**wanted: object) -> int:
        filters = BreakFilters(**wanted)  # type: ignore[arg-type]
        return len(breaks_at_desk(merchant_id=shop.merchant_id, queue="all", filters=filters).rows)

    assert (found(status="RESOLVED"), found(break_class="MISSING_INTERNAL")) == (1, 1)
    assert (found(currency="USD"), found(currency="EUR")) == (0, 6)
    assert (found(is_overdue=True), found(is_overdue=False), found(source_id=shop.psp.id)) == (0, 6, 6)
    assert breaks_at_desk(merchant_id=shop.psp.id, queue="all").rows == ()
