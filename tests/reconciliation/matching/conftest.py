"""A merchant with payments at a provider, and the files that the provider sends about them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from channels.services import create_channel
from core import clock
from core.audits import run_audits
from core.drain import get_drain
from core.history import begin, move
from core.ids import uuid7
from payments.models import Charge, Dispute, DisputeMovement, PaymentEvent, Refund
from reconciliation.drains import RunDrain
from reconciliation.matching.audits import INVARIANTS
from reconciliation.matching.runs import DRAIN, match_run
from reconciliation.models import Discrepancy, Match, ReconciliationRun, SettlementFile, SettlementSource
from reconciliation.services import look_again
from tests.openapi.contract import check_events
from tests.reconciliation.conftest import TODAY, Desk
from tests.reconciliation.seeded import at_day
from tests.store import open_store

DAY = date(2026, 1, 5)


def moment(day: date) -> datetime:
    """Noon of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@dataclass
class Shop(Desk):
    """What a merchant has at a provider, and what the provider says of it."""

    channel_id: UUID = field(default_factory=uuid4)
    psp: SettlementSource = field(init=False)
    # Files are taken in, and wait to be matched.
    is_idle: bool = False
    _checkout: PaymentEvent | None = None

    @transaction.atomic
    def charge(self, name: str | None, minor: int, *, status: str = "CAPTURED", day: date = DAY) -> Charge:
        """A charge of this amount in EUR that came to this state on a day."""
        charge = Charge(
            id=uuid7(), merchant_id=self.merchant_id, checkout=self._shared_checkout(),
            channel_id=self.channel_id,
            psp_reference=name, amount=minor / 100, amount_currency="EUR", amount_minor=minor,
            created_at=moment(day), updated_at=moment(day),
        )  # fmt: skip
        charge.save(force_insert=True)
        begin(charge, why="test")
        move(charge, charge.to_submitted, why="test")
        if status == "CAPTURED":
            move(charge, charge.to_captured, why="test", at=moment(day), captured_minor=minor)
        elif status == "DECLINED":
            move(charge, charge.to_declined, why="test", failure={"code": "card_declined"})
        elif status == "UNKNOWN":
            move(charge, charge.to_unknown, why="test")
        return charge

    @transaction.atomic
    def refund(self, charge: Charge, name: str, minor: int, *, day: date = DAY) -> Refund:
        """A refund that succeeded on a day."""
        refund = Refund(
            id=uuid7(), merchant_id=self.merchant_id, charge=charge, destination="instrument",
            amount=minor / 100,
            amount_currency="EUR", amount_minor=minor, returns_commission=True, origin="api",
            created_at=moment(day), updated_at=moment(day),
        )  # fmt: skip
        refund.save(force_insert=True)
        begin(refund, why="test")
        move(refund, refund.to_executing, why="test")
        move(refund, refund.to_success, why="test", succeeded_at=moment(day), psp_reference=name)
        return refund

    def dispute(self, charge: Charge, name: str, minor: int, fee: int, *, day: date = DAY) -> DisputeMovement:
        """A dispute whose amount and fee were taken on a day."""
        dispute = Dispute.objects.create(
            merchant_id=self.merchant_id, charge=charge, channel_id=self.channel_id, psp_reference=name,
            amount=minor / 100, amount_currency="EUR", amount_minor=minor, opened_at=moment(day),
            created_at=moment(day), updated_at=moment(day),
        )  # fmt: skip
        return DisputeMovement.objects.create(
            merchant_id=self.merchant_id, dispute=dispute, channel_id=self.channel_id,
            psp_reference=f"txn_{name}", number=1, kind="withdrawn", amount_minor=minor, fee_minor=fee,
            moved_at=moment(day), recorded_at=moment(day),
        )  # fmt: skip

    def report(
        self, *lines: str, day: date = DAY, identity: str = "", period_to: date | None = None
    ) -> SettlementFile:
        """A file of lines (reference|kind|gross|fee[|batch]), taken in and matched."""
        rows, net = [], 0
        for each in lines:
            name, kind, gross, fee, *batch = each.split("|")
            net += int(gross) - int(fee)
            rows.append(f"L|{name}|{kind}|EUR|{gross}|{fee}|{int(gross) - int(fee)}|{day}|{''.join(batch)}")
        head = f"H|{identity or f'day:{day}'}|{day}|{period_to or day}||"
        body = "\n".join([head, *rows, f"T|{len(rows)}|{net}|EUR", ""]).encode()
        received = self.send(self.psp, body)
        if not self.is_idle:
            self.match()
        file = self.file(received)
        assert file.status == "PUBLISHED", (file.status, file.refusal)
        return file

    def match(self) -> None:
        """Match what is due."""
        get_drain(DRAIN).run()

    def run(self, file: SettlementFile) -> ReconciliationRun:
        """The run of a file."""
        return ReconciliationRun.objects.get(file=file)

    def breaks(self, *, status: str | None = None) -> list[tuple[str, str, int]]:
        """Class, category and amount of each break, in the order of their keys."""
        rows = Discrepancy.objects.filter(merchant_id=self.merchant_id).order_by("pk")
        rows = rows.filter(status=status) if status else rows
        return [(row.break_class, row.category, row.amount_minor) for row in rows]

    def matches(self, **wanted: Any) -> list[Match]:
        """The matches that hold."""
        return list(
            Match.objects.filter(merchant_id=self.merchant_id, live=True, **wanted).order_by("line_id", "pk")
        )

    def look(self) -> tuple[int, int]:
        """Look for what did not come, and for what is known now."""
        return look_again(source_id=self.psp.id)

    def _shared_checkout(self) -> PaymentEvent:
        if self._checkout is None:
            now = clock.now()
            self._checkout = PaymentEvent.objects.create(
                merchant_id=self.merchant_id, checkout_id="shared", buyer_info={}, payment_method="card",
                token="",
                capture="automatic", multi_order_policy="all_or_nothing", created_at=now,
                expires_at=now + timedelta(hours=1), updated_at=now,
            )  # fmt: skip
        return self._checkout


def open_shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A merchant with a source of files about one channel, on the tenth of January."""
    at_day(monkeypatch, TODAY)
    store = open_store()
    with transaction.atomic():
        channel = create_channel(
            merchant_id=store.merchant_id, name=f"line-{uuid4().hex[:8]}", provider="stripe",
            secret_key="sk_test_matching",
        )  # fmt: skip
    shop = Shop(store.merchant_id, channel.id)
    shop.psp = shop.source(name="psp", provider="stripe", channel_id=channel.id)
    return shop


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The merchant; files are matched and no more, and the audits of matching are clean afterwards."""
    monkeypatch.setattr(RunDrain, "steps", (match_run,))
    yield open_shop(monkeypatch)
    check_events()
    watched = {each.name for each in INVARIANTS}
    report = run_audits(store=False)
    assert not [(e.name, e.sample) for e in (*report.violated, *report.failed) if e.name in watched]
