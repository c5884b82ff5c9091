"""Quiet days: the empty file of one day, sent again for another one, covers that day as well."""

from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.db import DatabaseError, transaction

from core import clock
from reconciliation.models import SettlementCover
from reconciliation.services import fetch_due, receive_file
from reconciliation.sources.standing import Standing, files_about, standing_of
from reconciliation.types import SourceData
from tests.channels.lines import open_merchant
from tests.reconciliation.setup import BY, activity, files_of, runs, set_up, stage

pytestmark = [pytest.mark.django_db, pytest.mark.database]


@pytest.fixture
def days(db: None, hooks: Any) -> list[date]:
    """The last three days."""
    return [clock.today() - timedelta(days=number) for number in (3, 2, 1)]


@pytest.fixture
def source(days: list[date]) -> SourceData:
    """A provider whose files people bring."""
    merchant_id: UUID = open_merchant()
    return set_up(merchant_id, begins_on=days[0])


def bring(source: SourceData, day: date, body: bytes, *, is_asked: bool = True) -> None:
    """Hand a file in for a day, which is asked for or stands in its name."""
    asked = {"asked_from": day, "asked_to": day} if is_asked else {}
    receive_file(
        source_id=source.id, name=f"report-{day}.csv", body=BytesIO(body), origin="upload", by=BY, **asked
    )  # fmt: skip


def standings(source: SourceData, days: list[date]) -> list[Standing]:
    """How far each day is."""
    found = standing_of(days, files_about(source, days[0], days[-1]))
    return [found[day][0] for day in days]


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "named"])
@pytest.mark.parametrize("is_read", [True, False], ids=["read", "unread"])
def test_quiet_days_are_covered_by_one_body(
    source: SourceData, days: list[date], is_asked: bool, is_read: bool
) -> None:
    """I34: one body; each day is done, also where the first one was not read when the second came."""
    for day in days:
        bring(source, day, activity(day, []), is_asked=is_asked)
        if is_read:
            stage()
    bring(source, days[1], activity(days[1], []), is_asked=is_asked)
    stage()
    assert len(files_of(source)) == 1
    assert standings(source, days) == [Standing.COUNTS] * 3
    covers = SettlementCover.objects.filter(file_id=files_of(source)[0].id).order_by("day")
    assert [(each.day, each.covered_by) for each in covers] == [(days[1], BY), (days[2], BY)]
    fetch_due(sources=[source])
    assert all(run.finished_at for run in runs(source).values())


def test_a_file_with_lines_covers_its_own_days_only(source: SourceData, days: list[date]) -> None:
    """What happened on one day did not happen on another one, before it is read and afterwards."""
    body = activity(days[0])
    bring(source, days[0], body)
    bring(source, days[1], body)
    stage()
    bring(source, days[2], body)
    assert standings(source, days) == [Standing.COUNTS, Standing.MISSING, Standing.MISSING]


def test_a_cover_is_never_changed(source: SourceData, days: list[date]) -> None:
    """It is evidence."""
    for day in days[:2]:
        bring(source, day, activity(day, []))
    for sql in ("update", "delete"):
        rows = SettlementCover.objects.all()
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.delete() if sql == "delete" else rows.update(day=days[2])
