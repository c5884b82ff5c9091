"""The year of a seller who was paid out."""

import csv
import io
from typing import Any

from console.year_totals import year_of, year_totals_csv
from core import clock
from core.transactions import at_edge
from payouts.services import record_return
from tests.payouts.conftest import Payer


def row(payer: Payer) -> dict[str, str]:
    """What the year says of ann."""
    year = year_of(merchant_id=payer.merchant_id, year=clock.today().year)
    [found] = csv.DictReader(io.StringIO("".join(year_totals_csv(year))))
    return found


def test_what_was_paid_and_did_not_come_back(payer: Payer, hooks: Any) -> None:
    """A payout counts with the evidence that it was paid, and no more when it came back; its fees stay."""
    payer.trust(fixed_minor=100)
    payer.set("payouts.return_fee", {"EUR": 200})
    first = payer.ask(5_000)
    payer.ask(3_000)
    payer.work()
    assert (row(payer)["payouts"], row(payer)["paid_out"], row(payer)["fees"]) == ("0", "0.00", "2.00")
    payer.paper.settle()
    payer.later(5)
    assert (row(payer)["payouts"], row(payer)["paid_out"]) == ("2", "80.00")
    at_edge(record_return)(merchant_id=payer.merchant_id, reference=first.public_id)
    assert (row(payer)["payouts"], row(payer)["paid_out"], row(payer)["fees"]) == ("1", "30.00", "4.00")
