"""A merchant with a bank account, a provider that pays into it, and sellers who are paid out of it."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from core.drain import get_drain
from ledger.selectors import open_keys
from ledger.services import open_account, post_entries
from ledger.templates.accounts import FeeAccounts
from ledger.templates.entry import Posting
from ledger.templates.settlement import SettledLine, SettlementAccounts, settlement_chunk
from payouts.engine import execute
from payouts.models import Payout, PayoutAttempt
from reconciliation.banking.position import bank_position
from reconciliation.banking.types import BankPosition
from reconciliation.matching.runs import DRAIN as RUNS
from reconciliation.models import BankLine, Discrepancy, Match, ReconciliationRun, SettlementSource
from reconciliation.posting.keys import batch_key
from reconciliation.types import ReceivedFile
from tests.payouts.conftest import Payer, open_payer
from tests.reconciliation.conftest import Desk, stand_still

__all__ = ["ACCOUNT", "MONDAY", "Bank", "entry", "open_bank"]

ACCOUNT = "DE02120300000000202051"
MONDAY = date(2026, 1, 5)


def entry(amount: int, **said: Any) -> dict[str, Any]:
    """One booking of a statement; `details` are inside it."""
    return {"amount": amount} | said


@dataclass
class Bank:
    """What the bank shows, and what the books make of it."""

    payer: Payer
    desk: Desk
    source: SettlementSource
    provider: SettlementSource
    balance: int = 0
    number: int = 0
    made: dict[str, bytes] = field(default_factory=dict)

    @property
    def merchant_id(self) -> UUID:
        """Whose account it is."""
        return self.payer.merchant_id

    def pay(self, amount_minor: int = 5000) -> PayoutAttempt:
        """A payout that the bank has; what it says of it is the test's business."""
        payout = self.payer.ask(amount_minor)
        self.payer.work()
        return PayoutAttempt.objects.select_related("payout", "batch").get(payout_id=payout.id)

    def look(self, sending: PayoutAttempt) -> str:
        """The state of the payout now."""
        return Payout.objects.get(pk=sending.payout_id).status

    def reported(self, name: str, net_minor: int, *, day: date = MONDAY, currency: str = "EUR") -> str:
        """A batch that the provider has reported; return its key in what is in transit."""
        key = batch_key(source_id=self.provider.id, batch=name)
        with transaction.atomic():
            role = {"merchant_id": self.merchant_id, "currency": currency, "provider": self.provider.provider}
            draft = settlement_chunk(
                posting=Posting(self.merchant_id, currency, day),
                accounts=SettlementAccounts(
                    psp_clearing=open_account(role="psp_clearing", **role),
                    in_transit=open_account(role="psp_settlement_in_transit", **role),
                    fees=FeeAccounts(
                        psp_fee=open_account(role="psp_fee", **role),
                        psp_fee_accrued=open_account(role="psp_fee_accrued", **role),
                    ),
                ),
                file_ref=f"{uuid4()}:1",
                batch_id=key,
                number=1,
                lines=[SettledLine(f"charge of {name}", net_minor)],
            )
            assert draft is not None
            post_entries(drafts=[draft])
        return key

    def body(
        self, *bookings: dict[str, Any], day: date = MONDAY, identity: str = "", opening: int | None = None
    ) -> bytes:
        """The next statement of the account, with these bookings."""
        begin = self.balance if opening is None else opening
        self.number += not identity
        identity = identity or str(self.number)
        records, lines, total = [], 0, 0
        for booking in bookings:
            records.append(self._record(booking, day, ""))
            parent = lines + 2
            lines, total = lines + 1, total + booking["amount"]
            for detail in booking.get("details", ()):
                records.append(self._record(detail, day, str(parent)))
                lines += 1
        if opening is None:
            self.balance = begin + total
        head = f"S|{identity}|{ACCOUNT}|EUR|{begin}|{day}|{day}|||"
        self.made[identity] = "".join(
            f"{each}\n" for each in [head, *records, f"C|{begin + total}|{len(bookings)}"]
        ).encode()
        return self.made[identity]

    @staticmethod
    def _record(said: dict[str, Any], day: date, parent: str) -> str:
        names = ("reference", "parent", "reversal", "end", "batch", "code", "reason", "text", "payer")
        values = {"parent": parent} | said
        values["reversal"] = "yes" if said.get("reversal") else ""
        return "|".join(
            ["E", str(said["amount"]), "EUR", str(day), *(str(values.get(name, "")) for name in names)]
        )

    def show(self, *bookings: dict[str, Any], day: date = MONDAY, **options: Any) -> ReceivedFile:
        """Let the bank show these bookings on a day, and do what is due."""
        return self.take(self.body(*bookings, day=day, **options))

    def take(self, body: bytes) -> ReceivedFile:
        """Take a file in and do what is due."""
        received = self.desk.send(self.source, body)
        get_drain(RUNS).run()
        return received

    def quiet(self, first: date, days: int) -> None:
        """Statements without a booking, day after day."""
        for n in range(days):
            self.show(day=first + timedelta(days=n))

    def keys(self, role: str) -> dict[str, int]:
        """What is open under the keys of a role."""
        found = open_keys(merchant_id=self.merchant_id, role=role, currency="EUR")
        return {each.key: each.balance_minor for each in found}

    def minor(self, role: str) -> int:
        """What a role of the merchant holds, debits less credits."""
        from ledger.selectors import trial_balance

        found = trial_balance(merchant_id=self.merchant_id)
        return sum(each.balance_minor for each in found if each.role == role)

    def breaks(self, *, open_only: bool = False) -> Counter[str]:
        """The breaks that there are, by class."""
        rows = Discrepancy.objects.filter(merchant_id=self.merchant_id)
        rows = rows.exclude(status="RESOLVED") if open_only else rows
        return Counter(rows.values_list("break_class", flat=True))

    def found(self, received: ReceivedFile) -> list[tuple[int, str, str, int, int]]:
        """What lines of a file are: line, subject, rule, amount, difference; those that hold."""
        numbers = dict(BankLine.objects.filter(file_id=received.file_id).values_list("id", "line_no"))
        rows = Match.objects.filter(line_id__in=numbers, side="bank", live=True).order_by(
            "line_id", "line_part"
        )
        return [
            (numbers[row.line_id or 0], row.subject_kind, row.rule, row.amount_minor, row.difference_minor)
            for row in rows
        ]

    def position(self) -> BankPosition:
        """The account now."""
        [found] = bank_position(source_id=self.source.id)
        return found

    def settled(self) -> None:
        """Every run is done, and the books have what the bank says."""
        rows = ReconciliationRun.objects.filter(merchant_id=self.merchant_id)
        assert set(rows.values_list("status", flat=True)) <= {"DONE"}, rows.values_list("status", "error")
        found = self.position()
        assert found.is_posted
        assert (found.difference_minor, found.closing_minor) == (0, self.balance)


def open_bank(monkeypatch: pytest.MonkeyPatch) -> Bank:
    """Open all of it, with an empty bank account."""
    stand_still(monkeypatch, day=date(2026, 12, 31))
    # In the test's own transaction, which other threads do not see.
    monkeypatch.setattr(type(get_drain("payout_batches")), "parallel", 1)
    monkeypatch.setattr(execute, "connection", SimpleNamespace(close=lambda: None))
    payer = open_payer(monkeypatch)
    payer.trust()
    desk = Desk(merchant_id=payer.merchant_id)
    return Bank(
        payer,
        desk,
        desk.source(kind="bank", name="giro", provider="bank"),
        desk.source(name="stripe-eur", provider="stripe", currency="EUR"),
    )
