"""A night between the provider, the bank and us: what is fetched tells of the same money as their books."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from core import clock
from reconciliation.fetchers import stripe
from reconciliation.models import BankLine, BankStatement, SettlementLine
from reconciliation.services import fetch_due
from tests.reconciliation.fetchers.nights import Nights
from tests.reconciliation.setup import files_of, runs, stage

pytestmark = pytest.mark.django_db
_DAY = 86_400


def test_a_payout_stands_in_the_report_and_on_the_statement(nights: Nights) -> None:
    """Three sources, one night: activity, what the payout settled, and the money on the bank's statement."""
    for amount in (5_000, 700):
        nights.pay(amount)
    nights.pass_days(5)
    activity = nights.reports()
    settled = nights.reports(format="stripe.payout_reconciliation")
    bank = nights.statements()
    assert fetch_due().failed == 0
    stage()
    clock.move(seconds=90)
    fetch_due()
    for source in (activity, settled):
        assert {file.status for file in files_of(source)} == {"PUBLISHED"}, [
            f.refusal for f in files_of(source)
        ]
    for source in (activity, settled):
        assert len(files_of(source)) < 5, "the same bytes of several quiet days are kept once"
        assert len(runs(source)) == 5 and all(run.finished_at for run in runs(source).values())

    truth = nights.truth(nights.begins_on)
    of_day = SettlementLine.objects.filter(file_id__in=[file.id for file in files_of(activity)])
    charges = of_day.filter(kind="charge", business_date=nights.begins_on)
    sums = charges.aggregate(gross=Sum("gross_minor"), fee=Sum("fee_minor"), net=Sum("net_minor"))
    assert sums == {name: truth[name] for name in ("gross", "fee", "net")}

    lines = SettlementLine.objects.filter(file_id__in=[file.id for file in files_of(settled)])
    [batch] = set(lines.values_list("batch", flat=True))
    [credit] = BankLine.objects.filter(merchant_id=bank.merchant_id)
    assert batch.startswith("po_") and batch in credit.text
    assert (
        credit.amount_minor == sum(line.net_minor for line in lines if line.kind != "payout") == sums["net"]
    )
    statements = BankStatement.objects.filter(source_id=bank.id).order_by("period_to")
    assert {each.status for each in statements} == {"LIVE"}


def test_a_file_that_is_cut_off_is_refused_and_fetched_again(nights: Nights) -> None:
    """F-H23: nothing of the first download counts; the next one is whole, and the day is done."""
    nights.pay(5_000)
    nights.pass_days(1)
    source = nights.reports()
    spec = {
        "kind": "file_truncated",
        "account": nights.platform.key,
        "day": str(nights.begins_on),
        "where": "middle",
    }
    nights.sandbox.control("POST", "settlement_faults", spec)
    fetch_due()
    stage()
    assert {file.status for file in files_of(source)} <= {"REFUSED"}
    nights.sandbox.control("DELETE", "settlement_faults")
    clock.move(seconds=int(timedelta(minutes=31).total_seconds()))
    fetch_due()
    stage()
    fetch_due()
    assert files_of(source)[-1].status == "PUBLISHED" and runs(source)[nights.begins_on].finished_at


def test_a_report_that_is_late_is_waited_for(nights: Nights) -> None:
    """F-H16: one run is joined until its file is there."""
    nights.pay(5_000)
    nights.pass_days(1)
    source = nights.reports()
    now = float(nights.sandbox.control("GET", "clock")["now"])
    spec = {
        "kind": "file_late",
        "account": nights.platform.key,
        "day": str(nights.begins_on),
        "until": now + 7200,
    }
    nights.sandbox.control("POST", "settlement_faults", spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stripe, "_PATIENCE_SECONDS", 0.0)
        assert fetch_due().failed == 0
    assert "is writing the report" in runs(source)[nights.begins_on].summary["says"]
    nights.sandbox.control("POST", "clock", {"seconds": 7300})
    clock.move(seconds=7300)
    assert fetch_due().received == 1
