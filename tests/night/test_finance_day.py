"""A day of finance at the console in a real browser, on the morning after a night with a lying report.

The pictures of docs/start/finance-day.md are made here: QUITTANCE_SCREENSHOTS=docs/images names their folder.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from core.ids import public_id
from ledger.selectors import closed_through
from payments.models import Charge
from tests.e2e.chromium import a_browser
from tests.night.browser import DESKTOP, Seat
from tests.night.morning import Morning, Night, desk_of, pass_night
from tests.night.world import World
from tests.stack import Stack
from tests.waiting import eventually

pytestmark = [pytest.mark.processes]
PAYOUT = "205.00"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """See `a_browser`."""
    yield from a_browser()


@pytest.fixture(scope="module")
def morning(world: World, system: Stack) -> Morning:
    """Looked at when the night is over."""
    return Morning(world, system)


@pytest.fixture
def seats(browser: Browser, world: World) -> Iterator[tuple[Seat, Seat]]:
    """The maker and the checker, each at a browser of their own."""
    contexts = [browser.new_context(viewport={**DESKTOP}) for _ in range(2)]  # type: ignore[typeddict-item]
    for context in contexts:
        context.set_default_timeout(30_000)
    maker, checker = (
        Seat(context, world, who) for context, who in zip(contexts, ("maker", "checker"), strict=True)
    )
    yield maker, checker
    assert maker.errors + checker.errors == []
    for context in contexts:
        context.close()


def test_a_day_of_finance(browser: Browser, morning: Morning, request: pytest.FixtureRequest) -> None:
    """Two people: why a payment failed, a break, a payout, the close of the day."""
    night, world = pass_night(morning), morning.world
    failed = world.buy(4_200, card="pm_card_chargeDeclinedInsufficientFunds")
    payout = large_payout(world)
    maker, checker = request.getfixturevalue("seats")
    maker.sees("Waits for a person")
    maker.picture("today")
    why_it_failed(maker, failed)
    from_request_to_bank(morning, maker, night)
    resolve_a_break(morning, maker, checker)
    approve_a_payout(checker, world, payout)
    close_the_day(morning, night, maker, checker)


def large_payout(world: World) -> str:
    """One that a second person must see: its id."""
    world.paid(*(world.buy(60_000, card="pm_card_bypassPending") for _ in range(5)))
    eventually(lambda: world.available("bob-bikes") >= 210, within=60, what="there is something to pay out")
    asked = {"seller_account": "bob-bikes", "amount": PAYOUT, "currency": "USD"}
    payout = str(world.post("/v1/payouts", asked)["id"])
    eventually(lambda: world.get(f"/v1/payouts/{payout}")["status"] == "IN_REVIEW", within=60)
    return payout


def why_it_failed(who: Seat, checkout: str) -> None:
    """The store calls about its order; the answer is one sentence."""
    eventually(lambda: who.world.get(f"/v1/checkouts/{checkout}")["status"] == "failed", within=60)
    order = who.world.get(f"/v1/checkouts/{checkout}")["payment_orders"][0]["payment_order_id"]
    who.find(order)
    verdict = who.page.locator(".verdict").first
    expect(verdict).to_contain_text("The card had not enough funds. No money moved. The buyer pays with")
    expect(verdict.locator("details")).not_to_have_attribute("open", "")
    who.picture("why-it-failed")


def from_request_to_bank(morning: Morning, who: Seat, night: Night) -> None:
    """By the provider's name of a payment: request, books, settlement file, deposit, the seller's payout."""
    honest = Charge.objects.get(checkout__checkout_id=night.honest[0])
    who.find(str(honest.psp_reference))
    who.sees(
        "The store asked for it", "Books: ", "Settlement file of stripe: payment", "the provider's deposit"
    )
    assert who.page.locator(".verdict").count() == 0
    who.picture("timeline", to="#story")
    who.picture("timeline-money", to=".chapter-books")
    who.find(night.first[0])
    who.sees("Payout of bob-bikes after this money was released")
    # The provider chooses about which of the payments it lies.
    [wrong] = morning.breaks(category="B", amount_minor=1234)
    assert wrong.subject_kind == "charge" and wrong.subject_id
    who.find(public_id("chk", Charge.objects.get(pk=wrong.subject_id).checkout_id))
    who.sees("A break: files and books do not say the same")
    who.find(night.payout)
    expect(who.page).to_have_url(f"{who.world.api_url}/admin/desks/payouts/{night.payout}/")


def resolve_a_break(morning: Morning, maker: Seat, checker: Seat) -> None:
    """One proposes the entry, another approves it."""
    [wrong] = morning.breaks(category="B", amount_minor=1234)
    maker.go(desk_of(wrong))
    maker.page.locator(".choices a", has_text="A5 ·").click()
    maker.picture("break", to=".sides")
    maker.press("Propose", reason="The provider took less; its answer is attached to the case.")
    maker.sees("Proposed")
    checker.go(desk_of(wrong))
    checker.press("Approve", reason="Seen.")
    checker.sees("it is in the books")
    assert [row.status for row in morning.breaks(pk=wrong.pk)] == ["RESOLVED"]


def approve_a_payout(who: Seat, world: World, payout: str) -> None:
    """What leaves is on the page, with what is not as usual."""
    who.find(payout)
    who.sees("What will leave, exactly", f"{PAYOUT} USD")
    who.picture("payout")
    who.press("Approve", reason="As agreed with the seller.")
    eventually(
        lambda: world.get(f"/v1/payouts/{payout}")["status"] in ("APPROVED", "EXECUTING", "SENT", "PAID"),
        within=60,
        what="the payout is approved",
    )


def close_the_day(morning: Morning, night: Night, maker: Seat, checker: Seat) -> None:
    """What nobody looks into stands in the way; then one prepares and another signs."""
    page = morning.page_of(night.arrived_on)
    maker.go(page)
    maker.sees("Nobody looks into")
    for row in morning.breaks(category="C", status="OPEN"):
        maker.go(desk_of(row))
        maker.press("Assign to me")
        maker.sees("It is yours")
    maker.go(page)
    maker.press("Prepare the day")
    maker.sees("The figures stand")
    checker.go(page)
    checker.picture("close-the-day")
    checker.press("Sign and close the day")
    checker.sees("The day is closed")
    assert closed_through(merchant_id=morning.merchant_id) == night.arrived_on
