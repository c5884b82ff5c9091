"""A merchant whose day can be closed: a provider's file, a bank's statement, and books that agree."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from core.approvals import at_decision_edge
from core.history import move
from core.transactions import at_edge
from ledger.services import open_account
from reconciliation import services
from reconciliation.closing.types import DayData, Obstacle
from reconciliation.errors import DayBlocked
from reconciliation.models import DayClose, Discrepancy, ReconciliationRun, SettlementSource
from reconciliation.selectors import day_at_desk
from tests.ledger.books import Books
from tests.reconciliation.conftest import Desk
from tests.reconciliation.plain import settlement, statement

__all__ = ["CHECKER", "DAY", "MAKER", "NEXT", "Closer"]

DAY = date(2026, 1, 5)
NEXT = DAY + timedelta(days=1)
MAKER, CHECKER = "user:maker", "user:checker"


@dataclass
class Closer:
    """Two sources, and books with the same bank balance as the statement."""

    books: Books = field(default_factory=lambda: Books(currency="EUR"))
    desk: Desk = field(init=False)
    psp: SettlementSource = field(init=False)
    bank: SettlementSource = field(init=False)

    def __post_init__(self) -> None:
        self.desk = Desk(merchant_id=self.books.merchant_id)
        self.psp = self.desk.source(provider="stripe", name="stripe", begins_on=DAY)
        self.bank = self.desk.source(kind="bank", name="giro", begins_on=DAY)

    @property
    def merchant_id(self) -> UUID:
        return self.books.merchant_id

    def ready(self, day: date = DAY, *, opening: int = 0) -> None:
        """Let both files of a day be there and worked on, and the bank account be 1.50 better off."""
        self.file(day)
        self.stated(day, opening)
        self.put("bank", 150, day, provider=self.bank.name)

    def file(self, day: date = DAY, *, reference: str = "ch_1") -> None:
        """The provider's file about a day, matched and posted as far as the day is concerned."""
        self.desk.send(
            self.psp, settlement((reference, 100), identity=str(day), day=str(day), currency="EUR")
        )
        self.finish_runs()

    def stated(self, day: date = DAY, opening: int = 0) -> None:
        """The bank's statement of a day: 1.50 came in."""
        self.desk.send(self.bank, statement(str(day), opening, 150, day=str(day)))
        self.finish_runs()

    def finish_runs(self) -> None:
        """Say of every run that it is done; what runs do is another test's matter."""
        for run in ReconciliationRun.objects.filter(merchant_id=self.merchant_id, status="QUEUED"):
            with transaction.atomic():
                now = run.created_at
                move(
                    run, run.to_matched, why="test", matched_at=now, counts={}, rules_version="1",
                    covered_to=None, due_at=None,
                )  # fmt: skip
                move(run, run.to_posted, why="test", posted_at=now)
                move(run, run.to_done, why="test", finished_at=now)

    def put(self, role: str, minor: int, day: date = DAY, **names: Any) -> None:
        """Debit an account of the books; the other side is revenue."""
        key = names.pop("key", None)
        with transaction.atomic():
            account = open_account(merchant_id=self.merchant_id, role=role, currency="EUR", **names)
        books = self.books
        books.post(
            books.draft(
                books.line(account, minor, key=key), books.line(books.commission, -minor), effective_date=day
            )
        )

    def prepare(self, day: date = DAY, *, by: str = MAKER) -> DayData:
        return at_edge(services.prepare_day)(merchant_id=self.merchant_id, day=day, maker=by)

    def sign(self, day: date = DAY, *, digest: str = "", by: str = CHECKER) -> DayData:
        """Sign what is prepared, as it is now unless a digest is given."""
        digest = digest or bytes(self.row(day).digest or b"").hex()
        return at_decision_edge(services.sign_day)(
            merchant_id=self.merchant_id, day=day, digest=digest, checker=by
        )

    def row(self, day: date = DAY) -> DayClose:
        return DayClose.objects.get(merchant_id=self.merchant_id, day=day)

    def obstacles(self, day: date = DAY) -> list[Obstacle]:
        """What the page says stands in the way; the same is what stops who prepares."""
        shown = list(day_at_desk(merchant_id=self.merchant_id, day=day).obstacles)
        try:
            self.prepare(day)
        except DayBlocked as error:
            assert [each.code for each in error.obstacles] == [each.code for each in shown]
        else:
            assert shown == []
        return shown

    def found(self, **columns: Any) -> Discrepancy:
        """A break of the day."""
        return Discrepancy.objects.create(
            **{
                "merchant_id": self.merchant_id, "key": f"test:{columns}"[:160], "break_class": "UNKNOWN",
                "category": "C", "currency": "EUR", "amount_minor": 700, "summary": "=1+1 is unknown",
                "business_date": DAY, "due_at": self.psp.created_at, "created_at": self.psp.created_at,
                "updated_at": self.psp.created_at,
            } | columns
        )  # fmt: skip


@pytest.fixture
def closer(desk: Desk) -> Closer:
    """A merchant with a day that can be closed."""
    found = Closer()
    found.ready()
    return found
