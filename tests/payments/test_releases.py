"""When sellers get their money: delay, fulfilment, proof and reserve; once, whatever happens meanwhile."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from core import clock, failpoints
from core.dead_letters import DeadLetterNeeded, drop, replay
from core.drain import get_drain
from core.ids import public_id
from core.models import Case, DeadLetter, OutboxEvent
from core.settings_store import SettingInvalid, put_setting
from core.transactions import at_edge
from ledger.models import JournalEntry
from merchants.services import change_terms
from payments.models import ChargeLine, OrderRelease, OrderShare, PaymentOrder
from payments.releases import steps
from payments.releases.plan import some_days_later
from payments.selectors import waiting_of_seller
from payments.services import approve_review, mark_proven, watch_releases
from tests.payments.captured import balances, capture, share_of
from tests.payments.conftest import Shop
from tests.payments.purses import open_purse
from tests.risk.rules import enforce
from tests.store import error
from wallet.models import Hold
from wallet.services import expire_holds

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("hooks")]
DAY = 24 * 3600


def release() -> int:
    """One pass of the worker over what is due."""
    return get_drain("releases").run()


def policy(shop: Shop, **values: str) -> None:
    """Set the merchant's policy; the names are those behind `payments.`."""
    scope = public_id("mer", shop.store.merchant_id)
    for name, value in values.items():
        with transaction.atomic():
            put_setting(name=f"payments.{name}", value=value, actor="user:t", reason="test", scope=scope)


def terms(shop: Shop, order: PaymentOrder, **values: int) -> None:
    """Other terms of the order's seller from now on."""
    at_edge(change_terms)(merchant_id=shop.store.merchant_id, seller_id=order.seller_id, terms=values)


def fulfill(shop: Shop, reference: str, **body: str) -> Any:
    return shop.store.post(f"/v1/payments/{reference}/fulfillment", body)


def prove(shop: Shop, order: PaymentOrder, level: Any) -> int:
    charge_id = ChargeLine.objects.get(order=order).charge_id
    with transaction.atomic():
        return mark_proven(merchant_id=shop.store.merchant_id, charge_ids=[charge_id], level=level)


def why(order: PaymentOrder) -> list[str]:
    """What the seller's page says that the order waits for."""
    found = waiting_of_seller(seller_id=order.seller_id, currency="USD")
    return [wait.what for each in found for wait in each.waits]


def test_money_is_released_when_the_days_of_the_seller_are_over(counter: Shop) -> None:
    """P7: pending becomes available after the delay, once, with the event, the timeline and the books."""
    (order,) = capture(counter, counter.order("100.00"))
    assert (balances(order.seller_id)["pending"], why(order)) == (9000, ["delay"])
    clock.move(seconds=6 * DAY)
    assert release() == 0
    clock.move(seconds=DAY)
    assert (release(), release()) == (1, 0)
    assert balances(order.seller_id) == {"pending": 0, "available": 9000, "held": 0, "receivable": 0}
    share, done = share_of(order), OrderRelease.objects.get()
    assert (share.released_minor, share.reserved_minor, share.due_at, why(order)) == (9000, 0, None, [])
    assert (done.basis, done.proof, done.amount_minor) == ("delay", "captured", 9000)
    assert done.reference == public_id("pay", order.id)
    assert JournalEntry.objects.get(source="release").source_ref == done.reference
    told = OutboxEvent.objects.get(type="wallet.credited")
    assert (
        told.payload["object"] | {"amount": "90.00", "reserved": "0.00", "reserve_until": None}
        == (told.payload["object"])
    )
    timeline = counter.store.get(f"/v1/payments/{order.payment_order_id}").json()["timeline"]
    assert (timeline[-1]["what"], timeline[-1]["reason"]) == ("release", "90.00 USD to the seller")


def test_without_a_delay_the_next_pass_releases(counter: Shop) -> None:
    (order,) = capture(counter, counter.order("1.00", "bob"))
    terms(counter, order, settlement_delay_days=0)
    (second,) = capture(counter, counter.order("5.00", "bob"))
    assert release() == 1, "an order keeps the delay with which it was accepted"
    assert (share_of(order).released_minor, share_of(second).released_minor) == (0, 500)


@pytest.mark.parametrize(
    ("zone", "captured", "days", "matures"),
    [
        ("UTC", "2026-03-02T23:59:59", 1, "2026-03-03T00:00:00"),
        ("UTC", "2026-03-02T00:00:00", 7, "2026-03-09T00:00:00"),
        ("Asia/Tokyo", "2026-03-02T14:59:00", 1, "2026-03-02T15:00:00"),
        ("Asia/Tokyo", "2026-03-02T15:00:00", 1, "2026-03-03T15:00:00"),
        # The night in which an hour is missing, and the one that has an hour more.
        ("Europe/Berlin", "2026-03-28T12:00:00", 2, "2026-03-29T22:00:00"),
        ("Europe/Berlin", "2026-10-24T12:00:00", 2, "2026-10-25T23:00:00"),
        # A day that begins at one o'clock, and one that was left out altogether.
        ("America/Santiago", "2026-09-05T12:00:00", 1, "2026-09-06T04:00:00"),
        ("Pacific/Apia", "2011-12-29T12:00:00", 2, "2011-12-30T10:00:00"),
        ("America/New_York", "2026-02-28T04:30:00", 0, "2026-02-28T04:30:00"),
    ],
)
def test_days_begin_in_the_zone_of_the_business(zone: str, captured: str, days: int, matures: str) -> None:
    at = datetime.fromisoformat(captured).replace(tzinfo=UTC)
    found = some_days_later(at, days, ZoneInfo(zone))
    assert found.astimezone(UTC).isoformat() == f"{matures}+00:00"


def test_the_zone_of_the_merchant_counts(counter: Shop) -> None:
    policy(counter, business_zone="Pacific/Kiritimati")
    (order,) = capture(counter, counter.order())
    local = share_of(order).matures_at.astimezone(ZoneInfo("Pacific/Kiritimati"))
    assert (local.hour, local.minute, local.second) == (0, 0, 0)
    with pytest.raises(SettingInvalid):
        policy(counter, business_zone="Mars/Olympus")


def test_fulfilment_releases_where_the_policy_says_so(counter: Shop) -> None:
    policy(counter, release_on="fulfillment")
    (order,) = capture(counter, counter.order())
    clock.move(seconds=30 * DAY)
    assert (release(), why(order)) == (0, ["fulfillment"])
    for when in ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z"):
        assert fulfill(counter, order.payment_order_id, fulfilled_at=when).status_code == 201
    assert share_of(order).fulfilled_at == datetime(2020, 1, 1, tzinfo=UTC), "the first word stands"
    assert (release(), OrderRelease.objects.get().basis) == (1, "fulfillment")
    again = fulfill(counter, order.payment_order_id)
    assert [step["what"] for step in again.json()["timeline"][-2:]] == ["fulfillment", "release"]
    assert release() == 0


def test_the_first_of_both_releases(counter: Shop) -> None:
    policy(counter, release_on="first")
    (early,) = capture(counter, counter.order())
    (late,) = capture(counter, counter.order())
    assert fulfill(counter, early.payment_order_id).status_code == 201
    assert (release(), share_of(late).released_minor) == (1, 0)
    clock.move(seconds=8 * DAY)
    assert release() == 1
    assert list(OrderRelease.objects.order_by("id").values_list("basis", flat=True)) == [
        "fulfillment",
        "delay",
    ]


def test_fulfilment_alone_moves_nothing_where_the_days_count(counter: Shop) -> None:
    (order,) = capture(counter, counter.order())
    assert fulfill(counter, order.payment_order_id).status_code == 201
    assert (release(), why(order)) == (0, ["delay"])


def test_what_is_not_paid_or_not_yet_delivered_is_refused(counter: Shop) -> None:
    accepted = counter.accept(counter.body(counter.order()))
    reference = accepted["payment_orders"][0]["id"]
    assert error(fulfill(counter, reference)) == (409, "invalid_state", None)
    (order,) = capture(counter, counter.order())
    future = (clock.now() + timedelta(minutes=6)).isoformat()
    found = error(fulfill(counter, order.payment_order_id, fulfilled_at=future))
    assert found == (422, "fulfillment_in_future", "fulfilled_at")
    almost = (clock.now() + timedelta(minutes=4)).isoformat()
    assert fulfill(counter, order.payment_order_id, fulfilled_at=almost).status_code == 201
    assert share_of(order).fulfilled_at <= clock.now()
    assert error(fulfill(counter, "pay_nobody"))[0] == 404


@pytest.mark.parametrize("is_held", [False, True])
def test_what_a_balance_paid_needs_no_proof_of_a_provider(counter: Shop, is_held: bool) -> None:
    """No report or bank statement will ever have it: it waits for the days alone, from when it was paid."""
    policy(counter, release_proof="banked")
    purse = open_purse(counter, cash=100_00)
    if is_held:
        enforce(purse.merchant_id, "amount_over", {"limits": {"USD": 0}}, decision="review", reason="look")
    counter.accept(purse.body(counter.order("100.00")))
    order = PaymentOrder.objects.get()
    if is_held:
        assert not OrderShare.objects.exists(), "nothing is earned before somebody has decided"
        clock.move(seconds=3600)
        at_edge(approve_review)(checkout_id=order.checkout_id, by="user:ann", reason="known")
    share = share_of(order)
    assert share.captured_at - order.created_at >= timedelta(seconds=3600 if is_held else 0)
    assert share.matures_at == some_days_later(share.captured_at, 7, UTC)
    assert (share.proof_needed, balances(order.seller_id)["pending"]) == ("captured", 90_00)
    clock.move(seconds=6 * DAY)
    assert release() == 0
    clock.move(seconds=DAY)
    assert (release(), balances(order.seller_id)["available"]) == (1, 90_00)


@pytest.mark.parametrize("needed", ["reported", "banked"])
def test_nothing_is_released_without_its_proof(counter: Shop, needed: str) -> None:
    """The proof that the policy demands at the capture: captured, reported, banked."""
    policy(counter, release_proof=needed)
    (order,) = capture(counter, counter.order())
    policy(counter, release_proof="captured")
    clock.move(seconds=8 * DAY)
    assert (release(), why(order)) == (0, [needed])
    assert prove(counter, order, "reported") == 1
    assert release() == (needed == "reported")
    assert [prove(counter, order, level) for level in ("banked", "banked", "reported")] == [1, 0, 0]
    release()
    assert (share_of(order).released_minor, OrderRelease.objects.get().proof) == (9000, needed)


def test_a_proof_before_the_time_waits_for_it(counter: Shop) -> None:
    policy(counter, release_proof="reported")
    (order,) = capture(counter, counter.order())
    assert prove(counter, order, "banked") == 1
    assert share_of(order).reported_at is not None
    assert (release(), share_of(order).due_at) == (0, share_of(order).matures_at)


def test_proofs_of_others_and_of_what_is_not_captured_are_left_out(counter: Shop) -> None:
    """A-E1: another merchant's charge is none."""
    (order,) = capture(counter, counter.order())
    charge_id = ChargeLine.objects.get(order=order).charge_id
    accepted = counter.accept(counter.body(counter.order()))
    open_charge = ChargeLine.objects.get(order__checkout__checkout_id=accepted["checkout_id"]).charge_id
    with transaction.atomic():
        assert mark_proven(merchant_id=order.id, charge_ids=[charge_id], level="banked") == 0
        ours = counter.store.merchant_id
        assert mark_proven(merchant_id=ours, charge_ids=[open_charge], level="banked") == 0


def test_the_reserve_of_the_day_of_release_is_kept_and_comes_back(counter: Shop) -> None:
    """S1, S2: at the rate in effect at the release, until its day begins; then it is available."""
    (order,) = capture(counter, counter.order("100.00"))
    terms(counter, order, reserve_bps=1000, reserve_days=90)
    clock.move(seconds=7 * DAY)
    release()
    assert balances(order.seller_id) == {"pending": 0, "available": 8100, "held": 900, "receivable": 0}
    done, hold = OrderRelease.objects.get(), Hold.objects.get()
    assert (hold.purpose, hold.subject, hold.amount_minor) == ("reserve", done.reference, 900)
    assert hold.expires_at == done.reserve_until == some_days_later(done.released_at, 90, ZoneInfo("UTC"))
    terms(counter, order, reserve_bps=0, reserve_days=0)
    clock.move(seconds=89 * DAY)
    assert expire_holds() == 0
    clock.move(seconds=DAY)
    assert expire_holds() == 1
    assert balances(order.seller_id)["available"] == 9000
    assert share_of(order).reserved_minor == 900, "what was ever kept, not what is"


def test_one_that_breaks_is_buried_and_the_others_go_on(
    counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, fine = (capture(counter, counter.order())[0] for _ in range(2))
    clock.move(seconds=8 * DAY)
    real = steps._new_release

    def breaks(share: Any, *rest: Any) -> Any:
        if share.order_id == broken.id:
            raise RuntimeError("armed")
        return real(share, *rest)

    monkeypatch.setattr(steps, "_new_release", breaks)
    release()
    assert (share_of(broken).released_minor, share_of(fine).released_minor) == (0, 9000)
    for _ in range(8):
        clock.move(seconds=600)
        release()
    letter = DeadLetter.objects.get(queue="releases")
    assert (letter.subject, letter.attempts, share_of(broken).due_at) == (
        public_id("pay", broken.id),
        8,
        None,
    )
    assert waiting_of_seller(seller_id=broken.seller_id, currency="USD")[0].is_stopped
    with pytest.raises(DeadLetterNeeded):
        at_edge(drop)(dead_letter_id=letter.pk, actor="user:t", reason="not needed")
    monkeypatch.setattr(steps, "_new_release", real)
    at_edge(replay)(dead_letter_id=letter.pk, actor="user:t", reason="mended")
    assert (release(), share_of(broken).released_minor) == (1, 9000)


def test_a_crash_in_the_middle_leaves_nothing_half_done(counter: Shop) -> None:
    """The transaction of a portion is all or nothing; the rows that were claimed come back."""
    orders = [capture(counter, counter.order())[0] for _ in range(3)]
    clock.move(seconds=8 * DAY)
    failpoints.arm("releases.before_posting", do="raise", times=4)  # Together, then each of the three alone.
    release()
    assert OrderRelease.objects.count() == 0 == JournalEntry.objects.filter(source="release").count()
    assert {share_of(order).released_minor for order in orders} == {0}
    clock.move(seconds=600)
    assert (release(), OrderRelease.objects.count()) == (3, 3)
    assert OutboxEvent.objects.filter(type="wallet.credited").count() == 3


def test_late_releases_raise_an_alert_that_ends_with_them(counter: Shop) -> None:
    (order,) = capture(counter, counter.order())
    half_an_hour_late = share_of(order).matures_at + timedelta(minutes=30)
    clock.move(seconds=int((half_an_hour_late - clock.now()).total_seconds()))
    assert at_edge(watch_releases)() is False
    clock.move(seconds=3600)
    assert at_edge(watch_releases)() is at_edge(watch_releases)() is True
    assert Case.objects.get(kind="release_overdue").status == "OPEN"
    release()
    assert at_edge(watch_releases)() is False
    assert Case.objects.get(kind="release_overdue").status == "CLOSED"
    assert share_of(order).released_minor == 9000


def test_orders_of_one_portion_share_wallets_and_one_transaction(counter: Shop) -> None:
    for _ in range(3):
        capture(counter, counter.order("90.00"), counter.order("10.00", "bob"))
    (nothing,) = capture(counter, counter.order("0.01", "bob"))
    clock.move(seconds=8 * DAY)
    assert release() == 7
    assert OrderRelease.objects.values("released_at").distinct().count() == 1
    assert balances(nothing.seller_id)["available"] == 3001
