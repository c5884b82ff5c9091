"""Late files: a case for each day, closed by itself; the days after it go on (F-H16)."""

from datetime import time, timedelta
from uuid import UUID

import pytest

from core.alerts import active_alerts
from core.models import Case
from core.transactions import at_edge
from reconciliation.services import change_source, fetch_due, set_source_enabled, watch_files
from reconciliation.sources.watching import LATE
from reconciliation.types import SourceData
from tests.reconciliation.setup import BY, activity, cases, set_up, settings_of, stage
from tests.reconciliation.sources.conftest import TODAY, Paper
from tests.reconciliation.sources.test_fetching import DAYS, pass_time

pytestmark = pytest.mark.django_db


def look() -> tuple[int, int]:
    return at_edge(watch_files)()


def test_a_late_file_has_a_case_and_the_next_days_go_on(source: SourceData, paper: Paper) -> None:
    """F-H16: told once, with what was the matter; closed when the file counts, and not before."""
    paper.has = {DAYS[0]: activity(DAYS[0]), DAYS[2]: activity(DAYS[2])}
    fetch_due()
    stage()
    fetch_due()
    # At one o'clock on Monday, Friday's and Saturday's were due at noon of the days after; Sunday's is not.
    assert look() == (1, 0) and look() == (0, 0)
    [case] = cases(LATE, source)
    assert str(DAYS[1]) in case.summary and "is not there" in case.summary
    assert case.detail["last_look"] == "the provider is down"
    assert [alert.alert.name for alert in active_alerts() if alert.alert.name == LATE] == [LATE]
    paper.has[DAYS[1]] = activity(DAYS[1])
    pass_time(minutes=2)
    fetch_due()
    assert look() == (0, 0), "received is not yet counted"
    stage()
    assert look() == (0, 1)
    case.refresh_from_db()
    assert (case.status, case.resolution) == ("CLOSED", "The file is there and counts.")


def test_it_is_due_in_the_zone_on_the_business_day(merchant_id: UUID) -> None:
    """Friday's file, due two business days later at six in New York: on Tuesday at eleven in UTC."""
    friday = TODAY - timedelta(days=3)
    source = set_up(
        merchant_id, begins_on=friday, calendar="WEEKDAYS", expected_after=2, expected_by=time(6),
        time_zone="America/New_York",
    )  # fmt: skip
    pass_time(days=1, hours=9, minutes=58)
    assert look() == (0, 0)
    pass_time(minutes=3)
    assert look() == (1, 0)
    assert cases(LATE, source)[0].subject == f"{source.public_id}:{friday}"


def test_a_provisional_or_refused_file_is_late_too(source: SourceData, paper: Paper) -> None:
    paper.has = {DAYS[0]: activity(DAYS[0]).replace(b"10.00,0.00", b"10.00,0.01")}
    fetch_due()
    stage()
    assert look() == (2, 0)
    assert "was refused" in cases(LATE, source)[0].summary


@pytest.mark.parametrize("way", ["off", "later", "calendar"])
def test_what_is_not_expected_any_more_is_closed(source: SourceData, paper: Paper, way: str) -> None:
    """Friday's and Saturday's are late; then the source is switched off, or begins later, or has weekends."""
    assert look() == (2, 0)
    settings = {"fetcher": "paper", "begins_on": DAYS[0]}
    if way == "off":
        at_edge(set_source_enabled)(
            merchant_id=source.merchant_id, source_id=source.id, is_enabled=False, by=BY, reason="closed"
        )
    else:
        settings |= {"begins_on": DAYS[2]} if way == "later" else {"calendar": "WEEKDAYS"}
        at_edge(change_source)(
            merchant_id=source.merchant_id, source_id=source.id, settings=settings_of(**settings), by=BY,
            reason="as agreed",
        )  # fmt: skip
    # With weekends, Friday's is due on Monday at noon, which has not come.
    assert look() == (0, 2)
    assert not Case.objects.filter(kind=LATE).exclude(status="CLOSED").exists()
