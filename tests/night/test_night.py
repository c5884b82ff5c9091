"""A night of the demo merchant on the running system, and the morning after it.

Days pass by the sandbox's clock and by ours. Stores call the API, and people close the day in the
console, with password and code, all over plain HTTP; what became of it is read in the database.
"""

from datetime import date

import pytest
from django.db import DatabaseError, transaction

from core.audits import run_audits
from ledger.selectors import closed_through
from payments.models import OrderShare
from reconciliation.models import DayClose
from tests.night.morning import Morning, desk_of, pass_night
from tests.night.people import Person
from tests.night.world import World
from tests.stack import Stack

pytestmark = [pytest.mark.database]


@pytest.fixture(scope="module")
def morning(world: World, system: Stack) -> Morning:
    """Looked at when the night is over."""
    return Morning(world, system)


def test_a_night_and_the_morning_after(morning: Morning) -> None:
    """Files come, are matched and posted; rules close what they may; two people decide, and sign the day.

    F-H3, F-H4, F-H16; the three categories of breaks; I30 and I34.
    """
    world, night = morning.world, pass_night(morning)
    money_is_proven(morning, night.payout, night.honest)
    breaks_are_in_their_queues(morning)
    audits_are_clean()
    maker, checker = world.person("maker"), world.person("checker")
    two_people_resolve_a_break(morning, maker, checker)
    two_people_close_the_day(morning, night.arrived_on, maker, checker)
    closed_day_does_not_change(morning, night.arrived_on, maker)
    audits_are_clean()


def money_is_proven(morning: Morning, payout: str, honest: list[str]) -> None:
    """P4 from the report, P5 and O4 from the bank, and pay-in was told of both.

    Of the batch about which the report lies, the bank has another amount: nothing of it is called banked.
    """
    assert len(morning.entries("settlement_reported")) == 2, "P4"
    assert len(morning.entries("settlement_deposited")) == 2, "P5"
    assert len(morning.entries("payouts_paid")) >= 1, "O4"
    assert morning.world.get(f"/v1/payouts/{payout}")["status"] == "PAID"
    shares = OrderShare.objects.filter(merchant_id=morning.merchant_id)
    assert shares.exclude(reported_at=None).count() >= 10
    banked = shares.exclude(banked_at=None).values_list("order__checkout__checkout_id", flat=True)
    assert sorted(set(banked)) == sorted(honest)


def breaks_are_in_their_queues(morning: Morning) -> None:
    """One that a rule closed, one for finance, one that nobody understands; and the bank's."""
    found = {(row.break_class, row.amount_minor): row for row in morning.breaks()}
    rounding, wrong = found["AMOUNT_MISMATCH", 1], found["AMOUNT_MISMATCH", 1234]
    assert (rounding.category, rounding.status) == ("A", "RESOLVED")
    assert (wrong.category, wrong.status) == ("B", "OPEN")
    assert [row.category for (kind, _), row in found.items() if kind == "UNKNOWN"] == ["C"]
    credit = found["MISSING_INTERNAL", 700]
    assert (credit.category, credit.status, credit.source.kind) == ("C", "OPEN", "bank")
    assert len(morning.entries("rounding_absorbed")) == 1
    assert len(morning.entries("unidentified_receipt")) == 1


def two_people_resolve_a_break(morning: Morning, maker: Person, checker: Person) -> None:
    """Finance's queue has it; one proposes the entry, another approves, and it is in the books."""
    [wrong] = morning.breaks(category="B", amount_minor=1234)
    page = desk_of(wrong)
    assert wrong.public_id in maker.get("/admin/desks/breaks/?queue=finance").source
    assert "Proposed" in morning.press(maker, page, "propose", template="A5").text
    approval = checker.get(page).value("approval")
    assert maker.press(page, action="approve", approval=approval, reason="mine").status == 403
    assert "it is in the books" in morning.press(checker, page, "approve", approval=approval).text
    assert [row.status for row in morning.breaks(pk=wrong.pk)] == ["RESOLVED"]


def two_people_close_the_day(morning: Morning, day: date, maker: Person, checker: Person) -> None:
    """The page says what stands in the way; when somebody looks into it, one prepares and another signs."""
    page = morning.page_of(day)
    assert "Nobody looks into" in maker.get(page).text
    for each in morning.breaks(category="C", status="OPEN"):
        assert "It is yours" in morning.press(maker, desk_of(each), "take").text
    assert "Nobody looks into" not in maker.get(page).text
    prepared = morning.press(maker, page, "prepare")
    assert "The figures stand" in prepared.text, prepared.text
    digest = checker.get(page).value("digest")
    assert maker.press(page, action="sign", digest=digest).status == 403
    assert "The day is closed" in morning.press(checker, page, "sign", digest=digest).text
    assert closed_through(merchant_id=morning.merchant_id) == day


def closed_day_does_not_change(morning: Morning, day: date, maker: Person) -> None:
    """Neither by a button, nor by a row that is written past the services."""
    before = DayClose.objects.get(merchant_id=morning.merchant_id, day=day)
    answer = maker.press(morning.page_of(day), action="prepare", reason="again")
    assert "The figures stand" not in answer.text
    with pytest.raises(DatabaseError), transaction.atomic():
        DayClose.objects.filter(pk=before.pk).update(figures={})
    after = DayClose.objects.get(pk=before.pk)
    assert (after.status, bytes(after.digest or b"")) == ("CLOSED", bytes(before.digest or b""))


def audits_are_clean() -> None:
    """Every invariant, over everything."""
    report = run_audits(full=True, store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
