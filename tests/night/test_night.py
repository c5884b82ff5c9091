"""A night of the demo merchant on the running system, and the morning after it.

Days pass by the sandbox's clock and by ours. Stores call the API, and people close the day in the
console, with password and code, all over plain HTTP; what became of it is read in the database.
"""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from config.celery import app
from core.audits import run_audits
from core.ids import parse_public_id
from ledger.models import JournalEntry
from ledger.selectors import closed_through
from payments.models import OrderShare
from reconciliation.models import DayClose, Discrepancy, ReconciliationRun, SettlementFile
from tests.night.people import Page, Person
from tests.night.world import World
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = [pytest.mark.database]
ONE_DAY = timedelta(days=1)


class Morning:
    """What finance finds, and what it does about it."""

    def __init__(self, world: World, system: Stack) -> None:
        self.world, self.system = world, system
        key = parse_public_id(str(world.facts["merchant"]), "mer")
        assert key is not None
        self.merchant_id = key

    def beat(self, task: str) -> None:
        """Start a task now, as beat does every minute or so."""
        with app.connection_for_write(self.system.broker_url) as connection:
            app.send_task(task, connection=connection, queue="default")

    def files(self) -> dict[tuple[str, date], SettlementFile]:
        rows = SettlementFile.objects.filter(merchant_id=self.merchant_id).select_related("source")
        return {(row.source.name, row.asked_from or row.created_at.date()): row for row in rows}

    def status(self, source: str, day: date) -> str:
        """How far the file of a day is; empty if it has not come."""
        found = self.files().get((source, day))
        return found.status if found else ""

    def entries(self, kind: str) -> list[JournalEntry]:
        return list(JournalEntry.objects.filter(merchant_id=self.merchant_id, kind=kind).order_by("id"))

    def breaks(self, **asked: Any) -> list[Discrepancy]:
        return list(Discrepancy.objects.filter(merchant_id=self.merchant_id, **asked).order_by("pk"))

    def everything_is_worked_on(self) -> bool:
        """All files were read to their end, and what they say is matched, posted and told."""
        runs = ReconciliationRun.objects.filter(merchant_id=self.merchant_id)
        return runs.exists() and not runs.exclude(status="DONE").exists()

    def state(self) -> str:
        """For the message of a test that waited in vain."""
        files = [(*key, row.status, row.lines_count) for key, row in sorted(self.files().items())]
        runs = ReconciliationRun.objects.filter(merchant_id=self.merchant_id).values_list("status", "error")
        found = [(row.break_class, row.category, row.status, row.summary) for row in self.breaks()]
        logs = [self.system.log(name)[-1500:] for name in ("worker-1", "worker-2")]
        return f"files {files}; runs {list(runs)}; breaks {found}; logs {logs}"

    def wait(self, check: Callable[[], Any]) -> None:
        """Wait until it is so; or say how things stand."""
        try:
            eventually(check, within=60, every=0.2)
        except AssertionError:
            raise AssertionError(self.state()) from None

    def page_of(self, day: date) -> str:
        return f"/admin/desks/days/{self.world.facts['merchant']}/{day}/"

    def press(self, who: Person, place: str, action: str, **fields: str) -> Page:
        page = who.press(place, action=action, reason="looked at it", **fields)
        assert page.status == 200, (place, action, page.status, page.text[-1500:])
        return page


@pytest.fixture(scope="module")
def morning(world: World, system: Stack) -> Morning:
    """Looked at when the night is over."""
    return Morning(world, system)


def test_a_night_and_the_morning_after(morning: Morning) -> None:
    """Files come, are matched and posted; rules close what they may; two people decide, and sign the day.

    F-H3, F-H4, F-H16; the three categories of breaks; I30 and I34.
    """
    world, bought_on = morning.world, morning.world.today
    payout = shopping(world, bought_on)
    world.pass_days()
    honest = [world.buy(6_100 + number, card="pm_card_bypassPending") for number in range(2)]
    disputed = world.buy(8_800, card="pm_card_createDispute")
    world.paid(*honest, disputed)
    world.pass_days(2)
    arrived_on = world.today
    world.bank_entry("7.00", "MR UNKNOWN REF 4711")
    world.pass_days()
    morning.beat("reconciliation.fetch")
    # What contradicts the provider's own payout waits until it is said a second time.
    morning.wait(lambda: morning.status("stripe", arrived_on - ONE_DAY) == "PROVISIONAL")
    world.pass_seconds(600)
    morning.beat("reconciliation.fetch")
    morning.wait(lambda: has_come(morning, bought_on, arrived_on))
    morning.wait(morning.everything_is_worked_on)
    morning.beat("reconciliation.watch_breaks")
    morning.wait(lambda: morning.breaks(category="A", status="RESOLVED"))
    money_is_proven(morning, payout, honest)
    breaks_are_in_their_queues(morning)
    audits_are_clean()
    maker, checker = world.person("maker"), world.person("checker")
    two_people_resolve_a_break(morning, maker, checker)
    two_people_close_the_day(morning, arrived_on, maker, checker)
    closed_day_does_not_change(morning, arrived_on, maker)
    audits_are_clean()


def shopping(world: World, day: date) -> str:
    """Money that is available at once is paid out in the coming night; the reports will lie about it."""
    fast = [world.buy(5_000 + 137 * number, card="pm_card_bypassPending") for number in range(6)]
    hosted = world.buy(7_000, card=None)
    world.pay_on_page(hosted, "pm_card_bypassPending")
    world.paid(*fast, hosted)
    world.top_up(3_000, "pm_card_bypassPending")
    order = world.get(f"/v1/checkouts/{fast[1]}")["payment_orders"][0]["payment_order_id"]
    world.post("/v1/refunds", {"payment_order_id": order, "amount": "12.00", "reason": "one book came back"})
    # His share is released when it is captured, by a worker of its own.
    eventually(lambda: world.available("bob-bikes") >= 25, within=60, what="there is something to pay out")
    asked = {"seller_account": "bob-bikes", "amount": "20.00", "currency": "USD"}
    payout = str(world.post("/v1/payouts", asked)["id"])
    eventually(lambda: world.get(f"/v1/payouts/{payout}")["status"] == "PAID", within=60, what="paid out")
    charges = {"category": "charge"}
    world.lie("amount_wrong", day, by=1, **charges)
    world.lie("amount_wrong", day, by=1234, **charges)
    world.lie("unknown_category", day, **charges)
    return payout


def has_come(morning: Morning, first: date, last: date) -> bool:
    """The report with the payments, and a statement for each day, count; quiet days have none."""
    counts = {key for key, row in morning.files().items() if row.status == "PUBLISHED"}
    days = {first + ONE_DAY * number for number in range((last - first).days + 1)}
    return {("stripe", last - ONE_DAY), ("stripe", last), *(("bank", day) for day in days)} <= counts


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


def desk_of(row: Discrepancy) -> str:
    """Where a break is dealt with."""
    return f"/admin/desks/breaks/{row.public_id}/"


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
