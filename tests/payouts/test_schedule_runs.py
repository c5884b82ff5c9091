"""Runs of scheduled payouts: who is paid when, once, and what stops nobody else (F-D11, F-D12)."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock
from core.dead_letters import replay
from core.errors import DomainError
from core.models import DeadLetter, JobRun
from core.transactions import at_edge
from merchants.services import update_seller
from payouts.models import Payout
from payouts.schedules import asking, runs
from payouts.schedules.asking import Asked, Wish, ask
from payouts.services import place_block, put_schedule, remove_destination, run_schedules
from tests.payouts.conftest import Payer
from tests.racing import race

MONDAY, DAY = clock.today() + timedelta(days=14 - clock.today().weekday()), timedelta(days=1)
DAYS: dict[str, Any] = {"timezone": "UTC", "cut_off": time(15), "calendar": "WEEKDAYS", "is_enabled": True}


class Calendar:
    """A merchant with working days, whose clock stands where the test puts it."""

    def __init__(self, payer: Payer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.payer, self.patch = payer, monkeypatch
        self.at(MONDAY - 3 * DAY, "16:00")
        self.put()

    def put(self, **changes: Any) -> None:
        """Say which are the working days."""
        at_edge(put_schedule)(
            merchant_id=self.payer.merchant_id, by="user:1", reason="test", **(DAYS | changes)
        )

    def at(self, day: date, hour: str) -> None:
        """Put the clock to a time of a day."""
        moment = datetime.combine(day, time.fromisoformat(hour), tzinfo=UTC)
        self.patch.setattr(clock, "now", lambda: moment)

    def pays(self, account: str, **schedule: Any) -> None:
        """Say when a seller is paid."""
        with transaction.atomic():
            update_seller(
                merchant_id=self.payer.merchant_id,
                seller_id=self.payer.sellers[account],
                changes={"payout_schedule": schedule},
            )

    def asked(self, account: str = "ann") -> list[tuple[str, int]]:
        """What was asked for a seller: the run and the amount."""
        rows = Payout.objects.filter(seller_id=self.payer.sellers[account]).order_by("pk")
        return [
            (str(run).removeprefix("schedule:"), minor)
            for run, minor in rows.values_list("run", "amount_minor")
        ]

    def summary(self) -> dict[str, Any]:
        """What the newest run says."""
        row = (
            JobRun.objects.filter(job=runs.JOB, finished_at__isnull=False).order_by("-business_date").first()
        )
        assert row is not None
        return dict(row.summary)


@pytest.fixture
def calendar(payer: Payer, monkeypatch: pytest.MonkeyPatch) -> Calendar:
    """Known since the Friday before, after its cut-off."""
    return Calendar(payer, monkeypatch)


def test_all_there_is_less_the_fee_once_a_day_at_the_cut_off(calendar: Calendar) -> None:
    """Not a second before; again changes nothing, also not when new money came meanwhile."""
    calendar.payer.trust(fixed_minor=100, bps=100)
    calendar.pays("ann", interval="daily")
    calendar.at(MONDAY, "14:59:59")
    assert run_schedules() == 0 and not calendar.asked()
    calendar.at(MONDAY, "15:00")
    assert run_schedules() == 1
    [(run, minor)] = calendar.asked()
    assert (run, minor) == (MONDAY.isoformat(), 98_911)
    paid = Payout.objects.get()
    assert (paid.fee_minor, paid.origin, paid.requested_by) == (1_089, "schedule", "system")
    assert (paid.status, paid.execute_on) == ("APPROVED", MONDAY + DAY)
    assert calendar.payer.wallet().available_minor == 0
    calendar.payer.fill("ann", 5_000)
    assert run_schedules() == 0
    calendar.at(MONDAY + DAY, "15:00")
    assert run_schedules() == 1
    assert [day for day, _ in calendar.asked()] == [MONDAY.isoformat(), (MONDAY + DAY).isoformat()]
    assert calendar.summary()["asked"] == {"EUR": {"payouts": 1, "amount_minor": 4_851}}


def test_a_payout_of_the_schedule_is_sent_and_paid_like_any_other(calendar: Calendar) -> None:
    """On its day it leaves; its event says what it covers."""
    calendar.payer.trust()
    calendar.pays("ann", interval="daily")
    calendar.at(MONDAY, "15:00")
    run_schedules()
    calendar.payer.work()
    assert Payout.objects.get().status == "APPROVED"
    calendar.at(MONDAY + DAY, "00:00")
    calendar.payer.work()
    assert Payout.objects.get().status == "SENT"


def test_a_weekday_that_is_none_is_the_next_business_day(calendar: Calendar) -> None:
    """Saturday's seller is paid by the run of Monday; Tuesday's is not."""
    calendar.payer.seller("bob", money=500)
    calendar.pays("ann", interval="weekly", weekday=6)
    calendar.pays("bob", interval="weekly", weekday=2)
    calendar.at(MONDAY, "16:00")
    run_schedules()
    assert (len(calendar.asked("ann")), calendar.asked("bob")) == (1, [])
    calendar.at(MONDAY + DAY, "16:00")
    run_schedules()
    assert (len(calendar.asked("ann")), len(calendar.asked("bob"))) == (1, 1)


def test_missed_days_are_made_up_for_by_one_run(calendar: Calendar) -> None:
    """F-D12: nothing ran from Tuesday to Thursday; on Friday everybody who was due is paid once."""
    for account, schedule in {
        "bob": {"interval": "weekly", "weekday": 3},
        "eve": {"interval": "weekly", "weekday": 1},
        "kim": {"interval": "monthly", "day": (MONDAY + 3 * DAY).day},
    }.items():
        calendar.payer.seller(account, money=1_000)
        calendar.pays(account, **schedule)
    calendar.pays("ann", interval="daily")
    calendar.at(MONDAY, "15:00")
    run_schedules()
    calendar.payer.fill("ann", 700)
    calendar.payer.fill("eve", 700)
    calendar.at(MONDAY + 4 * DAY, "15:30")
    assert run_schedules() == 1
    friday = (MONDAY + 4 * DAY).isoformat()
    assert calendar.asked("ann")[1:] == [(friday, 700)]
    assert (calendar.asked("bob"), calendar.asked("kim")) == ([(friday, 1_000)], [(friday, 1_000)])
    assert calendar.asked("eve") == [(MONDAY.isoformat(), 1_000)]


def test_a_threshold_is_reached_to_the_cent_and_in_its_currency(calendar: Calendar) -> None:
    """999.99 is not 1000.00; nothing manual is ever paid."""
    calendar.payer.seller("bob", money=99_999)
    calendar.payer.seller("eve", money=100_000)
    for account in ("ann", "bob"):
        calendar.pays(account, interval="threshold", amount="1000.00", currency="EUR")
    calendar.at(MONDAY, "15:00")
    run_schedules()
    assert (len(calendar.asked("ann")), calendar.asked("bob"), calendar.asked("eve")) == (1, [], [])


def test_closed_gates_are_skipped_with_their_reason(calendar: Calendar) -> None:
    """Nobody else waits for them, and the summary names who was not paid and why."""
    payer = calendar.payer
    payer.set("payouts.minimum", {"EUR": 1_000})
    payer.set("payouts.limits", {"EUR": {"per_payout_minor": 60_000}})
    payer.seller("bob", money=5_000, is_verified=False)
    payer.seller("eve", money=999)
    payer.seller("kim", money=5_000)
    payer.seller("lee", money=5_000)
    payer.seller("mia", money=5_000)
    at_edge(remove_destination)(
        merchant_id=payer.merchant_id, destination_id=payer.places["lee"].id, by="user:1"
    )
    at_edge(place_block)(
        merchant_id=payer.merchant_id,
        seller_id=payer.sellers["kim"],
        currency="EUR",
        source="finance",
        source_ref="",
        reason="a claim",
        by="user:1",
    )
    for account in payer.sellers:
        calendar.pays(account, interval="daily")
    calendar.at(MONDAY, "15:00")
    assert run_schedules() == 1
    assert calendar.asked("mia") == [(MONDAY.isoformat(), 5_000)]
    assert calendar.asked("ann") == [(MONDAY.isoformat(), 60_000)]
    skipped = {code: told["sellers"] for code, told in calendar.summary()["skipped"].items()}
    assert skipped == {
        "destination_unknown": ["lee EUR"],
        "payout_below_minimum": ["eve EUR"],
        "payout_blocked": ["kim EUR"],
        "seller_unverified": ["bob EUR"],
    }


def test_what_fails_is_tried_again_and_then_a_person_looks(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are paid at once and once; a replay pays the one that failed, once."""
    payer, real = calendar.payer, asking.request_payout
    payer.seller("bob", money=5_000)
    for account in payer.sellers:
        calendar.pays(account, interval="daily")

    def spoiled(*, seller: str, **words: Any) -> Payout:
        if words["amount_minor"] == 5_000:
            raise RuntimeError("a mistake of ours")
        return real(seller=seller, **words)

    monkeypatch.setattr(asking, "request_payout", spoiled)
    calendar.at(MONDAY, "15:00")
    for _ in range(runs.MOST_ATTEMPTS - 1):
        with pytest.raises(ExceptionGroup, match="begun again"):
            run_schedules()
        assert (len(calendar.asked("ann")), calendar.asked("bob")) == (1, [])
    assert not DeadLetter.objects.exists()
    assert run_schedules() == 1
    letter = DeadLetter.objects.get()
    assert (letter.queue, letter.attempts) == (asking.QUEUE, runs.MOST_ATTEMPTS)
    assert calendar.summary()["failed"] == ["bob EUR: RuntimeError: a mistake of ours"]

    monkeypatch.setattr(asking, "request_payout", real)
    payer.fill("bob", 700)
    at_edge(replay)(dead_letter_id=letter.pk, actor="user:1", reason="mended")
    assert calendar.asked("bob") == [(MONDAY.isoformat(), 5_700)]
    assert (len(calendar.asked("ann")), run_schedules()) == (1, 0)


def test_a_schedule_that_nobody_can_read_stops_nobody_else(calendar: Calendar) -> None:
    """However it came into the row."""
    calendar.payer.seller("bob", money=500)
    calendar.pays("ann", interval="daily")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE merchants_seller SET payout_schedule = %s WHERE id = %s",
            ['{"interval": "weekly"}', calendar.payer.sellers["bob"]],
        )
    calendar.at(MONDAY, "15:00")
    assert run_schedules() == 1
    assert (len(calendar.asked("ann")), calendar.asked("bob")) == (1, [])
    [told] = calendar.summary()["unreadable"]
    assert told.startswith("bob: no payout schedule")


def test_days_before_the_schedule_was_known_are_nobodys(calendar: Calendar) -> None:
    """What is put on Monday after its cut-off begins on Tuesday; what is switched off does not run."""
    calendar.pays("ann", interval="daily")
    calendar.at(MONDAY, "15:30")
    calendar.put(cut_off=time(15, 1))
    assert run_schedules() == 0
    calendar.at(MONDAY + DAY, "15:30")
    calendar.put(is_enabled=False)
    assert run_schedules() == 0
    assert not calendar.asked()


@pytest.mark.parametrize("is_guarded", [True, False])
def test_a_run_that_was_taken_over_pays_nobody_twice(
    calendar: Calendar, monkeypatch: pytest.MonkeyPatch, is_guarded: bool
) -> None:
    """F-D11: two processes ask for the same payout of the same run at the same moment.

    The control: without the name of the run on the payout, the seller gets two.
    """
    payer, real = calendar.payer, asking.request_payout
    payer.set("payouts.limits", {"EUR": {"per_payout_minor": 1_000}})
    wallet = payer.wallet()
    wish = Wish(payer.merchant_id, payer.sellers["ann"], "ann", wallet.id, "EUR", "schedule:2026-03-02")
    if not is_guarded:
        monkeypatch.setattr(asking, "request_payout", lambda *, run, **words: real(**words))
    schedule = runs.enabled_schedules()[0].schedule
    ended = race([lambda: ask(wish, schedule)] * 4, connected=True)
    assert Payout.objects.count() == (1 if is_guarded else 4)
    assert ended.count(Asked()) >= 1 and not [each for each in ended if isinstance(each, DomainError)]


def test_two_schedulers_one_run(calendar: Calendar) -> None:
    """F-D11: four start it at once; everybody is paid once."""
    payer = calendar.payer
    payer.set("payouts.limits", {"EUR": {"per_payout_minor": 100}})
    for number in range(6):
        payer.seller(f"s{number}", money=1_000)
        calendar.pays(f"s{number}", interval="daily")
    calendar.at(MONDAY, "15:00")
    ended = race([run_schedules] * 4, connected=True)
    assert sorted(ended) == [0, 0, 0, 1]
    assert [len(calendar.asked(f"s{number}")) for number in range(6)] == [1] * 6
