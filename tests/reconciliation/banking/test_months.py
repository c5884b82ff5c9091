"""A made-up month at the bank: every planted break of its statements is found, and nothing else is said."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from io import BytesIO
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from core.audits import run_audits
from payouts.models import Payout as PayoutRow
from payouts.models import PayoutAttempt, PayoutBatch
from reconciliation.banking.audits import INVARIANTS
from reconciliation.models import BankLine, Discrepancy
from tests.database import owner_connection
from tests.months import Month, Payout, month
from tests.reconciliation.banking.rig import Bank, open_bank
from tests.reconciliation.conftest import stand_still

pytestmark = pytest.mark.django_db(transaction=True)
PLANTS = ("batch_total", "credit_split", "credit_merged", "unknown_bank_credit")


def test_every_planted_break_of_the_bank_is_found_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """DESIGN 9.4, PSP F.15 and F.16, F-F3: split, merged, short and unknown credits; collective payouts."""
    made = month(seed=7, size=10_000, month="2026-10")
    bank = open_bank(monkeypatch)
    stand_still(monkeypatch, day=date(2026, 12, 1))
    type(bank.source).objects.filter(pk=bank.source.pk).update(format="camt.053", calendar="TARGET2")
    type(bank.provider).objects.filter(pk=bank.provider.pk).update(calendar="TARGET2")
    events = [each for each in made.events() if isinstance(each, Payout)]
    came_back = {each.payout.reference for each in made.returns()}
    _send(bank, events, came_back)
    _show(bank, made)
    found = {
        (row.break_class, _reference(row), row.amount_minor)
        for row in Discrepancy.objects.filter(merchant_id=bank.merchant_id)
    }
    planted = [each for each in made.answer_key() if each["kind"] in PLANTS]
    assert Counter(each["kind"] for each in planted).keys() == set(PLANTS)
    expected = {
        (
            each["expected"],
            (each.get("batches") or [each["where"][0]["reference"]])[0],
            each["at_stake_minor"],
        )
        for each in planted
        if each["expected"] != "none"
    }
    print(f"breaks found: {sorted(found)}")
    assert found == expected
    _money(bank, made, events, planted, came_back)
    names = {each.name for each in INVARIANTS}
    report = run_audits(names=sorted(names), store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


def _show(bank: Bank, made: Month) -> None:
    """Let the provider report and the bank show, day by day."""
    batches = {each["day"]: each for each in made.days()}
    for file in made.bank_files():
        body = BytesIO()
        file.write(body)
        bank.take(body.getvalue())
        # The report comes after the statement of its day: the bank is no slower than that.
        batch = batches[str(file.day)]
        if batch["payout_minor"]:
            bank.reported(batch["batch"], batch["payout_minor"], day=file.day)


def _reference(row: Discrepancy) -> str:
    if row.line_id is not None and row.clearing_key.startswith("line:"):
        return BankLine.objects.get(pk=row.line_id).bank_reference
    return row.clearing_key.partition(":")[2]


def _money(
    bank: Bank, made: Month, events: list[Payout], planted: list[dict[str, Any]], came_back: set[str]
) -> None:
    """What is posted is what the month says: by account, and by key."""
    position = bank.position()
    assert (position.difference_minor, position.is_posted) == (0, True)
    [unknown] = [each for each in planted if each["kind"] == "unknown_bank_credit"]
    assert -bank.minor("suspense_receipts") == -unknown["postings"]["liab.suspense_receipts"]
    *_, last = made.days()
    assert bank.minor("psp_settlement_in_transit") == last["in_transit_minor"]
    # Of the payouts of earlier months only the return is on a statement; a reference has its day.
    month_of = made.options.month[2:].replace("-", "")
    paid = [each.amount_minor for each in events if each.reference[2:6] == month_of]
    assert bank.minor("payouts_in_transit") == sum(paid)
    back = [each.payout.amount_minor for each in made.returns()]
    assert -bank.minor("payout_returns") == sum(back)
    assert len(came_back) == len(back)


def _send(bank: Bank, events: list[Payout], came_back: set[str]) -> None:
    """Write the payouts of the month as rows, as they are when all is told: by COPY, past the guards."""
    at = events[0].at
    channel, place = bank.payer.channel.id, bank.payer.places["ann"].id
    seller, wallet = bank.payer.sellers["ann"], bank.payer.wallet().id
    names = {each.batch or each.reference: each for each in reversed(events)}
    batches = {
        name: PayoutBatch(
            merchant_id=bank.merchant_id, channel_id=channel, currency="EUR", execute_on=each.at.date(),
            reference=name, status="CLOSED", created_at=at, updated_at=at,
        )
        for name, each in names.items()
    }  # fmt: skip
    payouts, sendings = [], []
    for number, each in enumerate(events):
        status = "RETURNED" if each.reference in came_back else "PAID"
        payout = PayoutRow(
            merchant_id=bank.merchant_id, seller_id=seller, wallet_id=wallet, destination_id=place,
            channel_id=channel, amount=each.amount_minor // 100, amount_currency="EUR",
            amount_minor=each.amount_minor, origin="schedule", status=status, execute_on=each.at.date(),
            requested_by="system", auto_approved_by_policy=True, instruction_digest=b"\0" * 32,
            created_at=each.at, updated_at=each.at, sent_at=each.at,
        )  # fmt: skip
        payouts.append(payout)
        sendings.append(
            PayoutAttempt(
                merchant_id=bank.merchant_id, payout_id=payout.id,
                batch_id=batches[each.batch or each.reference].id, position=number, reference=each.reference,
                instruction_digest=b"\0" * 32, status=status, sent_at=each.at, created_at=each.at,
                updated_at=each.at,
            )
        )  # fmt: skip
    with owner_connection() as owner, owner.cursor() as cursor:
        for rows in (list(batches.values()), payouts, sendings):
            table = rows[0]._meta.db_table
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            _copy(cursor, rows)
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _copy(cursor: Any, rows: Iterable[Model]) -> None:
    rows = list(rows)
    fields = rows[0]._meta.concrete_fields
    columns = ", ".join(field.column for field in fields)
    with cursor.copy(f"COPY {rows[0]._meta.db_table} ({columns}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(
                [field.get_db_prep_save(getattr(row, field.attname), connection) for field in fields]
            )


