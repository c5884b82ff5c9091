"""What the provider says of its payouts, held against the report of their lines: cut files, wrong lines."""

from typing import Any

import pytest

from reconciliation.models import Discrepancy, Match, SettlementFile
from tests.reconciliation.fetchers.nights import Nights
from tests.reconciliation.setup import files_of, runs

pytestmark = pytest.mark.django_db
PAYOUTS = "stripe.payout_reconciliation"


def breaks(nights: Nights, it_is: str = "BATCH_TOTAL_MISMATCH") -> list[Discrepancy]:
    found = Discrepancy.objects.filter(merchant_id=nights.platform.channel.merchant_id, break_class=it_is)
    return list(found.order_by("created_at", "pk"))


def with_lines(source: Any) -> list[SettlementFile]:
    """The files about the day on which the payout arrived."""
    return [file for file in files_of(source) if file.declared]


def paid(nights: Nights) -> Any:
    """Three payments, paid out together; the report of the payout is there to be fetched."""
    for amount in (5_000, 700, 1_100):
        nights.pay(amount)
    return nights.reports(format=PAYOUTS)


def test_a_report_that_is_what_was_paid_counts_at_once(nights: Nights) -> None:
    """The payout is declared, its lines come to it."""
    source = paid(nights)
    nights.pass_days(5)
    nights.look()
    [file] = with_lines(source)
    [declared] = file.declared
    net = file.totals["counted"]["USD"]["net"]
    assert (declared["what"], declared["value"], declared["currency"]) == ("batch_net", net, "USD")
    assert (file.status, file.totals["contradicted"], breaks(nights)) == ("PUBLISHED", [], [])


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("line_missing", {}),
        ("line_extra", {}),
        ("amount_wrong", {"by": 1}),
    ],
)
def test_a_wrong_line_is_a_break_and_keeps_no_file_out(
    nights: Nights, kind: str, options: dict[str, Any]
) -> None:
    """BATCH_TOTAL_MISMATCH, DESIGN 9: asked a second time, the provider says the same; then it counts."""
    source = paid(nights)
    nights.plant(kind, **options)
    nights.pass_days(5)
    nights.look()
    [file] = with_lines(source)
    [said] = file.totals["contradicted"]
    assert (file.status, breaks(nights)) == ("PROVISIONAL", [])
    assert not Match.objects.filter(merchant_id=file.merchant_id, how="exact").exists()
    nights.look()
    file.refresh_from_db()
    assert (file.status, len(with_lines(source))) == ("PUBLISHED", 1)
    [broken] = breaks(nights)
    off = abs(said["declared"] - said["counted"])
    assert (broken.amount_minor, broken.clearing_key, broken.file_id) == (off, said["scope"], file.id)
    assert broken.status == "OPEN"
    nights.look()
    assert runs(source)[file.asked_to].finished_at


def test_an_empty_report_of_a_payout_is_no_quiet_day(nights: Nights) -> None:
    """F-H1: its bytes are those of a day on which nothing happened, and of that day they say the truth."""
    nights.pay(5_000)
    source = nights.reports(format=PAYOUTS)
    nights.plant("line_missing")
    nights.pass_days(5)
    nights.look()
    nights.look()
    [(day, run)] = [(day, run) for day, run in runs(source).items() if run.finished_at is None]
    assert run.summary["says"] == "the provider made payouts, and its report of them is empty"
    nights.sandbox.control("DELETE", "settlement_faults")
    nights.look()
    nights.look()
    assert [(each.status, each.asked_to) for each in with_lines(source)] == [("PUBLISHED", day)]
    assert runs(source)[day].finished_at


@pytest.mark.parametrize("where", ["middle", "line"])
def test_a_cut_report_is_fetched_again_before_anything_of_it_counts(nights: Nights, where: str) -> None:
    """F-H1, F-H23: cut within its only payout; the next download is whole and stands in its place."""
    source = paid(nights)
    for amount in (100, 200, 300, 400):
        nights.pay(amount)
    arrives = nights.begins_on
    nights.pass_days(5)
    for ahead in range(5):
        nights.begins_on = arrives.fromordinal(arrives.toordinal() + ahead)
        nights.plant("file_truncated", where=where, report_type="payout_reconciliation.itemized.5")
    nights.begins_on = arrives
    nights.look()
    cut = with_lines(source)
    assert {file.status for file in cut} == {"REFUSED" if where == "middle" else "PROVISIONAL"}, cut
    assert not Match.objects.filter(merchant_id=source.merchant_id, how="exact").exists()
    nights.sandbox.control("DELETE", "settlement_faults")
    nights.look()
    nights.look()
    assert [file.status for file in with_lines(source)][-1] == "PUBLISHED"
    assert breaks(nights) == []
