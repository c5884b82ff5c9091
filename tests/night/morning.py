"""The demo merchant's night: what is bought, what files say of it, and what finance finds in the morning."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from config.celery import app
from core.ids import parse_public_id
from ledger.models import JournalEntry
from reconciliation.models import Discrepancy, ReconciliationRun, SettlementFile
from tests.night.people import Page, Person
from tests.night.world import World
from tests.stack import Stack
from tests.waiting import eventually

__all__ = ["ONE_DAY", "Morning", "Night", "desk_of", "pass_night"]

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Night:
    """Checkouts of the day whose report lies, a payout, those of the day after, and when their money came."""

    first: list[str]
    payout: str
    honest: list[str]
    arrived_on: date


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


def pass_night(morning: Morning) -> Night:
    """Buy, let days and nights pass, and wait until every file is read, matched, posted and told."""
    world, bought_on = morning.world, morning.world.today
    first, payout = shopping(world, bought_on)
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
    return Night(first, payout, honest, arrived_on)


def shopping(world: World, day: date) -> tuple[list[str], str]:
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
    return fast, payout


def has_come(morning: Morning, first: date, last: date) -> bool:
    """The report with the payments, and a statement for each day, count; quiet days have none."""
    counts = {key for key, row in morning.files().items() if row.status == "PUBLISHED"}
    days = {first + ONE_DAY * number for number in range((last - first).days + 1)}
    return {("stripe", last - ONE_DAY), ("stripe", last), *(("bank", day) for day in days)} <= counts


def desk_of(row: Discrepancy) -> str:
    """Where a break is dealt with."""
    return f"/admin/desks/breaks/{row.public_id}/"
