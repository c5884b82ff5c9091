"""A night of the demo merchant on the running system, and the morning after it, over plain HTTP.

Days pass by the sandbox's clock and by ours. What people do, they do in the console, with password and code.
"""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import override_settings

from config.celery import app
from core.audits import run_audits
from core.ids import parse_public_id
from ledger.models import JournalEntry
from ledger.selectors import closed_through
from reconciliation.models import (
    Adjustment,
    BankStatement,
    DayClose,
    Discrepancy,
    Match,
    ReconciliationRun,
    SettlementFile,
)
from tests.night.people import Page, Person
from tests.night.world import World
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = [pytest.mark.database]

ONE_DAY = timedelta(days=1)


class Morning:
    """What finance finds, and what it does about it."""

    def __init__(self, world: World, system: Stack) -> None:
        self.world, self.system = world, system
        key = parse_public_id(str(world.facts["merchant"]), "mer")
        assert key is not None
        self.merchant_id = key

    def beat(self, task: str) -> None:
        """Start a task now, as beat does every minute or so."""
        with app.connection_for_write(self.system.broker_url) as connection:
            app.send_task(task, connection=connection, queue="default")

    def files(self) -> dict[tuple[str, date], SettlementFile]:
        rows = SettlementFile.objects.filter(merchant_id=self.merchant_id).select_related("source")
        return {(row.source.name, row.asked_from or row.created_at.date()): row for row in rows}

    def entries(self, kind: str) -> list[JournalEntry]:
        return list(JournalEntry.objects.filter(merchant_id=self.merchant_id, kind=kind).order_by("id"))

    def breaks(self, **asked: Any) -> list[Discrepancy]:
        return list(Discrepancy.objects.filter(merchant_id=self.merchant_id, **asked).order_by("pk"))

    def everything_is_worked_on(self) -> bool:
        """All files were read to their end, and what they say is matched, posted and told."""
        runs = ReconciliationRun.objects.filter(merchant_id=self.merchant_id)
        return runs.exists() and not runs.exclude(status="DONE").exists()

    def state(self) -> str:
        """For the message of a test that waited in vain."""
        files = [(*key, row.status, row.lines_count) for key, row in sorted(self.files().items())]
        runs = ReconciliationRun.objects.filter(merchant_id=self.merchant_id).values_list("status", "error")
        found = [(row.break_class, row.category, row.status, row.summary) for row in self.breaks()]
        return f"files {files}; runs {list(runs)}; breaks {found}"

    def page_of(self, day: date) -> str:
        return f"/admin/desks/days/{self.world.facts['merchant']}/{day}/"

    def press(self, who: Person, place: str, action: str, **fields: str) -> Page:
        page = who.press(place, action=action, reason="looked at it", **fields)
        assert page.status == 200, (place, action, page.status, page.text[-1500:])
        return page
