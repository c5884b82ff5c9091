"""A merchant with payments in the books, and files of its provider that are matched, posted and adjusted.

Posting runs in the test's own transaction: what the threads of a worker do, one portion after the other.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from channels.selectors import get_channel
from channels.services import create_channel
from core import clock
from core.approvals import at_decision_edge
from core.drain import Claim
from core.history import begin, move
from core.ids import uuid7
from core.models import Approval
from core.transactions import at_edge
from ledger.services import land_entries, open_account, post_entries
from ledger.templates.entry import Posting, credit, debit, entry
from payments.models import Charge, PaymentEvent
from reconciliation.matching.audits import INVARIANTS as MATCHING
from reconciliation.matching.rules import DEFAULTS, ensure_rules
from reconciliation.matching.runs import match_run
from reconciliation.models import (
    Adjustment,
    Discrepancy,
    DiscrepancyNote,
    Match,
    ReconciliationRun,
    SettlementFile,
    SettlementLine,
    SettlementSource,
)
from reconciliation.posting.chunks import entries_of, spans
from reconciliation.posting.run import file_to_post
from reconciliation.resolving.audits import INVARIANTS
from reconciliation.resolving.steps import adjust_run
from reconciliation.services import (
    approve_adjustment,
    approve_reopening,
    approve_unmatching,
    propose_adjustment,
    request_reopening,
    request_unmatching,
)
from tests.openapi.contract import check_events
from tests.reconciliation.conftest import TODAY, Desk
from tests.reconciliation.seeded import at_day
from tests.store import open_store

DAY = date(2026, 1, 5)
MIA, NOA = "user:mia", "user:noa"
Balances = dict[tuple[str, str], int]


def named_charge(charge: Charge) -> dict[str, Any]:
    """The parameters that name what a charge took."""
    return {"subject_kind": "charge", "subject_id": str(charge.id), "nth": 0}


def moment(day: date) -> datetime:
    """Noon of a day."""
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


@dataclass
class Shop(Desk):
    """What a merchant has at a provider, what the provider says of it, and what becomes of that."""

    channel_id: UUID = field(default_factory=uuid4)
    psp: SettlementSource = field(init=False)
    _checkout: PaymentEvent | None = None

    @transaction.atomic
    def charge(self, name: str, minor: int, *, day: date = DAY) -> Charge:
        """A captured charge in EUR, with its entry: what was captured is commission here, all of it."""
        charge = Charge(
            id=uuid7(), merchant_id=self.merchant_id, checkout=self._shared_checkout(),
            channel_id=self.channel_id, psp_reference=name, amount=minor / 100, amount_currency="EUR",
            amount_minor=minor, created_at=moment(day), updated_at=moment(day),
        )  # fmt: skip
        charge.save(force_insert=True)
        begin(charge, why="test")
        move(charge, charge.to_submitted, why="test")
        move(charge, charge.to_captured, why="test", at=moment(day), captured_minor=minor)
        post_entries(
            drafts=[
                entry(
                    posting=Posting(self.merchant_id, "EUR", day), kind="payment_captured", source="charge",
                    source_ref=charge.id, leg="capture",
                    legs=[
                        debit(self._account("psp_clearing", self._channel), minor, key=charge.id),
                        credit(self._account("commission"), minor),
                    ],
                )
            ]
        )  # fmt: skip
        return charge

    def report(self, *lines: str, day: date = DAY, identity: str = "") -> SettlementFile:
        """A file of lines (reference|kind|gross|fee): taken in, matched, posted, and adjusted by rules."""
        file = self.take(*lines, day=day, identity=identity)
        self.work_on(file)
        return file

    def take(self, *lines: str, day: date = DAY, identity: str = "") -> SettlementFile:
        """A file that waits to be matched."""
        rows, net = [], 0
        for each in lines:
            name, kind, gross, fee = each.split("|")
            net += int(gross) - int(fee)
            rows.append(f"L|{name}|{kind}|EUR|{gross}|{fee}|{int(gross) - int(fee)}|{day}|")
        head = f"H|{identity or f'day:{day}'}|{day}|{day}||"
        body = "\n".join([head, *rows, f"T|{len(rows)}|{net}|EUR", ""]).encode()
        file = self.file(self.send(self.psp, body))
        assert file.status == "PUBLISHED", (file.status, file.refusal)
        return file

    def work_on(self, file: SettlementFile, *, adjust: bool = True) -> ReconciliationRun:
        """Match, post and adjust a file."""
        run = ReconciliationRun.objects.get(file=file)
        claim = Claim(run.id, run.fence, run.attempts)
        assert match_run(claim) == "MATCHED"
        _forget_temporary_tables()
        with transaction.atomic():
            posted = file_to_post(file)
            for span in spans(posted):
                drafts = entries_of(posted, span)
                post_entries(drafts=land_entries(drafts=drafts)) if drafts else None
            run.refresh_from_db()
            move(run, run.to_posted, why="test", posted_at=clock.now(), due_at=clock.now())
        if adjust:
            adjust_run(claim)
        run.refresh_from_db()
        return run

    def adjust(self, run: ReconciliationRun) -> list[tuple[Any, ...]]:
        """Let rules work on a posted run; return what there is of adjustments then."""
        adjust_run(Claim(run.id, run.fence, run.attempts))
        return [(each.id, each.template, each.entry_id) for each in self.adjustments()]

    def seed(self, **rules: dict[str, Any]) -> None:
        """The rules that everybody begins with, some of them with other caps."""
        changed = tuple(replace(each, **rules.get(each.name, {})) for each in DEFAULTS)
        with pytest.MonkeyPatch.context() as patch, transaction.atomic():
            patch.setattr("reconciliation.matching.rules.DEFAULTS", changed)
            ensure_rules(merchant_id=self.merchant_id)

    def lines_of(self, file: SettlementFile) -> list[int]:
        """The ids of a file's lines."""
        return list(
            SettlementLine.objects.filter(file_id=file.id).order_by("pk").values_list("pk", flat=True)
        )

    def breaks(self, *, status: str | None = None) -> list[tuple[str, str, str, int]]:
        """Class, category, status and amount of each break, in the order of their keys."""
        rows = Discrepancy.objects.filter(merchant_id=self.merchant_id).order_by("pk")
        rows = rows.filter(status=status) if status else rows
        return [(row.break_class, row.category, row.status, row.amount_minor) for row in rows]

    def only(self, **wanted: Any) -> Discrepancy:
        """The one break there is."""
        return Discrepancy.objects.get(merchant_id=self.merchant_id, **wanted)

    def adjustments(self, **wanted: Any) -> list[Adjustment]:
        """What was adjusted."""
        return list(Adjustment.objects.filter(merchant_id=self.merchant_id, **wanted).order_by("pk"))

    def rows(self) -> list[Discrepancy]:
        """Every break, in the order of their keys."""
        return list(Discrepancy.objects.filter(merchant_id=self.merchant_id).order_by("pk"))

    def can_reopen(self, row: Discrepancy) -> bool:
        """Whether an entry of its own closed a break, and not a match."""
        posted = Adjustment.objects.filter(discrepancy=row, status="POSTED", reverses__isnull=True)
        return posted.exists() and not posted.filter(template__in=("match", "unmatch")).exists()

    def notes(self) -> list[str]:
        """What was written about breaks."""
        rows = DiscrepancyNote.objects.filter(merchant_id=self.merchant_id).order_by("pk")
        return list(rows.values_list("text", flat=True))

    def matches(self, **wanted: Any) -> list[Match]:
        """The matches that hold."""
        rows = Match.objects.filter(merchant_id=self.merchant_id, live=True, **wanted)
        return list(rows.order_by("line_id", "pk"))

    def books(self) -> Balances:
        """What every account has under every key, by role; zeros are left out."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT account.role, coalesce(line.clearing_key, ''), sum(line.amount_minor)"
                " FROM ledger_journalline AS line"
                " JOIN ledger_account AS account ON account.id = line.account_id"
                " WHERE line.merchant_id = %s GROUP BY 1, 2 HAVING sum(line.amount_minor) <> 0 ORDER BY 1, 2",
                [self.merchant_id],
            )
            return {(role, key): int(minor) for role, key, minor in cursor.fetchall()}

    def at(self, role: str) -> int:
        """What the accounts of a role have altogether."""
        return sum(minor for (each, _), minor in self.books().items() if each == role)

    def propose(self, row: Discrepancy, template: str, **parameters: Any) -> Approval:
        """Propose an entry as the first person."""
        at_edge(propose_adjustment)(
            discrepancy_id=row.id, template=template, reason="looked at it", maker=MIA, parameters=parameters
        )
        return self.waiting(row.public_id)

    def waiting(self, subject: str) -> Approval:
        """The approval that waits."""
        return Approval.objects.get(subject=subject, status="PENDING", action="adjustment.post")

    def settle(self, row: Discrepancy, template: str, **parameters: Any) -> None:
        """Propose an entry, and have it agreed to."""
        self.agree(self.propose(row, template, **parameters))
        row.refresh_from_db()

    def agree(self, approval: Approval) -> None:
        """Say yes as the second person."""
        at_decision_edge(approve_adjustment)(approval_id=approval.pk, checker=NOA)

    def reopen(self, row: Discrepancy) -> None:
        """Take back what was posted for a break, as two people."""
        key = at_edge(request_reopening)(discrepancy_id=row.id, reason="it was wrong", maker=MIA)
        at_decision_edge(approve_reopening)(approval_id=key, checker=NOA)
        row.refresh_from_db()

    def unmatch(self, match: Match) -> list[Discrepancy]:
        """Take a match back, as two people."""
        key = at_edge(request_unmatching)(match_id=match.id, reason="another payment", maker=MIA)
        done = at_decision_edge(approve_unmatching)(approval_id=key, checker=NOA)
        return [Discrepancy.objects.get(pk=each) for each in done]

    @property
    def _channel(self) -> str:
        return str(get_channel(channel_id=self.channel_id).name)

    def _account(self, role: str, provider: str | None = None) -> int:
        return open_account(merchant_id=self.merchant_id, role=role, currency="EUR", provider=provider)

    def _shared_checkout(self) -> PaymentEvent:
        if self._checkout is None:
            now = clock.now()
            self._checkout = PaymentEvent.objects.create(
                merchant_id=self.merchant_id, checkout_id="shared", buyer_info={}, payment_method="card",
                token="", capture="automatic", multi_order_policy="all_or_nothing", created_at=now,
                expires_at=now + timedelta(hours=1), updated_at=now,
            )  # fmt: skip
        return self._checkout


def _forget_temporary_tables() -> None:
    """They are gone with the commit, which the test's own transaction does not have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"
            " AND pg_table_is_visible(oid)"
        )
        for (name,) in cursor.fetchall():
            cursor.execute(f'DROP TABLE pg_temp."{name}"')


def open_shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A merchant with a source of files about one channel, on the tenth of January."""
    at_day(monkeypatch, TODAY)
    store = open_store()
    with transaction.atomic():
        channel = create_channel(
            merchant_id=store.merchant_id, name=f"line-{uuid4().hex[:8]}", provider="stripe",
            secret_key="sk_test_resolving",
        )  # fmt: skip
    shop = Shop(store.merchant_id, channel.id)
    shop.psp = shop.source(name="psp", provider="stripe", channel_id=channel.id)
    return shop


@pytest.fixture
def shop(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The merchant; whatever the test did, the audits of adjustments are clean afterwards."""
    yield open_shop(monkeypatch)
    check_events()
    assert found_wrong() == {}


def found_wrong() -> dict[str, list[Any]]:
    """What the audits of matching and of adjustments find."""
    found = {}
    with connection.cursor() as cursor:
        for each in (*INVARIANTS, *MATCHING):
            cursor.execute(each.sql)
            if rows := cursor.fetchmany(3):
                found[each.name] = rows
    return found
