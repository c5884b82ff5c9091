"""A made-up month on both sides: the provider's files and the bank's statements, matched and posted."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction
from django.db.models import F

from core.drain import get_drain
from core.settings_store import put_setting
from core.transactions import at_edge
from reconciliation.ingest.receive import DRAIN as FILES
from reconciliation.matching.policy import ASKS_FOR
from reconciliation.matching.runs import DRAIN as RUNS
from reconciliation.models import ReconciliationRun, SettlementFile, SettlementSource
from reconciliation.services import look_again, receive_file, watch_source
from tests.months import File, Month
from tests.payouts.conftest import open_payer
from tests.reconciliation.banking.sent import send_payouts
from tests.reconciliation.conftest import Desk
from tests.reconciliation.seeded import Played, at_day, play

__all__ = ["Whole", "open_whole"]

# Long enough after the month that all of it is over its time.
_AFTER = timedelta(days=21)
_BALANCES = """
    SELECT account.role, account.currency, sum(line.amount_minor)::bigint
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    WHERE account.merchant_id = %s GROUP BY 1, 2
"""


@dataclass
class Whole:
    """A merchant with the month's payments and payouts, a provider's source and a bank's."""

    played: Played
    bank: SettlementSource
    # What the books had before any file came.
    before: Counter[tuple[str, str]]

    @property
    def month(self) -> Month:
        """The month."""
        return self.played.month

    @property
    def merchant_id(self) -> UUID:
        """Whose it is."""
        return self.played.merchant_id

    def receive(self, source: SettlementSource, file: File) -> None:
        """Take a file in and stage it, on the day after its own, and go no further."""
        body = BytesIO()
        file.write(body)
        body.seek(0)
        begin = source.begins_on if self.month.options.per == "month" and source.kind == "psp" else file.day
        received = receive_file(
            source_id=source.id, name=file.name, body=body, origin="upload", by="user:m",
            asked_from=begin, asked_to=file.day,
        )  # fmt: skip
        self.played.files[received.file_id] = file.name
        get_drain(FILES).run()
        taken = SettlementFile.objects.get(pk=received.file_id)
        assert taken.status == "PUBLISHED", (taken.status, taken.refusal)

    def take_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Day by day: the provider's file and the bank's statement, matched and posted, and both watched."""
        for ours, theirs in zip(self.month.psp_files(), self.month.bank_files(), strict=True):
            self.receive_all(monkeypatch, [ours], [theirs])
            self.work()
            self.watch()
        self.finish(monkeypatch, ours.day)

    def receive_all(
        self, monkeypatch: pytest.MonkeyPatch, reports: Iterable[File], statements: Iterable[File]
    ) -> None:
        """Take files of the provider in, then some of the bank; all are staged, and none is matched."""
        for source, files in ((self.played.source, reports), (self.bank, statements)):
            for file in files:
                at_day(monkeypatch, file.day + timedelta(days=1))
                self.receive(source, file)

    def work(self) -> None:
        """Match and post what is due."""
        get_drain(RUNS).run(seconds=600)

    def work_off(self) -> None:
        """Match and post what is left, without waiting for leases, or for what was put off for a moment."""
        left = ReconciliationRun.objects.filter(merchant_id=self.merchant_id, due_at__isnull=False)
        while left.update(due_at=F("created_at"), leased_until=None):
            self.work()

    def watch(self) -> None:
        """Look for what did not come."""
        while any(look_again(source_id=self.played.source.id)):
            pass
        at_edge(watch_source)(source_id=self.bank.id)

    def finish(self, monkeypatch: pytest.MonkeyPatch, last: date) -> None:
        """Look when all that is still expected is over its time; every run must be done."""
        at_day(monkeypatch, last + _AFTER)
        self.watch()
        runs = ReconciliationRun.objects.filter(merchant_id=self.merchant_id)
        states = Counter(runs.values_list("status", flat=True))
        assert set(states) == {"DONE"}, (states, list(runs.exclude(error="").values_list("error", flat=True)))

    def balances(self) -> dict[tuple[str, str], int]:
        """What the files left in the books, by role and currency."""
        now = Counter(
            {(role, currency): minor for role, currency, minor in _ask(_BALANCES, self.merchant_id)}
        )
        now.subtract(self.before)
        return {key: minor for key, minor in now.items() if minor}


def open_whole(monkeypatch: pytest.MonkeyPatch, month: Month) -> Whole:
    """Open the merchant with all that the month was on our side; no file has come."""
    payer = open_payer(monkeypatch)
    payer.trust()
    played = play(month, merchant_id=payer.merchant_id)
    send_payouts(payer, month)
    with transaction.atomic():
        # Nobody is behind the provider's address.
        put_setting(name=ASKS_FOR, value=0, actor="user:test", reason="nobody answers")
    desk = Desk(payer.merchant_id)
    bank = desk.source(
        kind="bank", name="giro", provider="bank", format="camt.053", calendar="TARGET2",
        time_zone=month.options.zone, begins_on=date.fromisoformat(f"{month.options.month}-01"),
    )  # fmt: skip
    before = Counter({(role, ccy): minor for role, ccy, minor in _ask(_BALANCES, payer.merchant_id)})
    return Whole(played, bank, before)


def _ask(sql: str, *params: Any) -> Iterable[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
