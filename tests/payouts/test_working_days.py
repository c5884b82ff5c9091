"""Which days a merchant's payouts are sent on, and who said so."""

from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction

from core.api.errors import InvalidField
from core.audit_trail import ReasonRequired
from core.errors import NotFound
from core.ids import public_id, uuid7
from core.models import AuditRecord
from payouts.calendar import execute_on_for
from payouts.models import PayoutSchedule
from payouts.schedules.working_days import (
    ANY_TIME,
    ScheduleData,
    enabled_schedules,
    put_schedule,
    schedule_of,
)
from tests.racing import race
from tests.store import Store

BERLIN = {"timezone": "Europe/Berlin", "cut_off": time(15), "calendar": "TARGET2", "is_enabled": True}


def put(merchant_id: UUID, **changes: Any) -> ScheduleData:
    """Say it as somebody of finance."""
    words = BERLIN | {"by": "user:1", "reason": "our bank's hours"} | changes
    with transaction.atomic():
        return put_schedule(merchant_id=merchant_id, **words)


def test_without_one_it_is_any_time(store: Store) -> None:
    """What is asked for is sent the same day, at any hour, and nobody is paid without asking."""
    merchant_id = store.merchant_id
    assert schedule_of(merchant_id=merchant_id) == ANY_TIME
    assert not enabled_schedules()
    at = datetime(2026, 1, 1, 23, 59, 59, tzinfo=UTC)
    assert execute_on_for(ANY_TIME, at) == at.date()


def test_it_is_put_and_changed_and_both_are_in_the_trail(store: Store) -> None:
    """The trail says who, why, what it was and what it is; the same once more changes nothing."""
    merchant_id = store.merchant_id
    assert put(merchant_id) == schedule_of(merchant_id=merchant_id) == ScheduleData(**BERLIN)
    [days] = enabled_schedules()
    assert (days.merchant_id, days.schedule) == (merchant_id, ScheduleData(**BERLIN))
    put(merchant_id)
    put(merchant_id, is_enabled=False, cut_off=time(9, 30), reason="holiday")
    assert not enabled_schedules()
    last = AuditRecord.objects.filter(subject=public_id("mer", merchant_id)).order_by("-seq")[0]
    assert (last.actor, last.action, last.reason) == ("user:1", "payout_schedule.put", "holiday")
    assert last.detail["from"]["cut_off"] == "15:00:00" and last.detail["to"]["cut_off"] == "09:30:00"
    assert PayoutSchedule.objects.filter(merchant_id=merchant_id).count() == 1


@pytest.mark.parametrize(
    ("changes", "error", "param"),
    [
        ({"timezone": "Europe/Nowhere"}, InvalidField, "timezone"),
        ({"timezone": "Europe"}, InvalidField, "timezone"),
        ({"timezone": "../etc/passwd"}, InvalidField, "timezone"),
        ({"timezone": ""}, InvalidField, "timezone"),
        ({"cut_off": time(15, tzinfo=UTC)}, InvalidField, "cut_off"),
        ({"calendar": "MOON"}, InvalidField, "calendar"),
        ({"reason": " "}, ReasonRequired, "reason"),
    ],
)
def test_what_makes_no_sense_is_refused(
    store: Store, changes: dict[str, Any], error: type[Exception], param: str
) -> None:
    """With the field that is wrong; nothing is stored."""
    with pytest.raises(error) as caught:
        put(store.merchant_id, **changes)
    assert caught.value.param == param  # type: ignore[attr-defined]
    assert schedule_of(merchant_id=store.merchant_id) == ANY_TIME


def test_nobody_else_has_one(db: None) -> None:
    """A merchant that does not exist has no working days."""
    with pytest.raises(NotFound):
        put(uuid7())


@pytest.mark.django_db(transaction=True)
def test_two_who_say_it_first_both_did(store: Store) -> None:
    """One row, and two lines in the trail; the later word stands."""
    hours = [time(9), time(10), time(11), time(12)]
    ended = race([lambda hour=hour: put(store.merchant_id, cut_off=hour) for hour in hours], connected=True)
    assert [each.cut_off for each in ended] == hours
    trail = AuditRecord.objects.filter(subject=public_id("mer", store.merchant_id)).order_by("-seq")
    assert trail.count() == len(hours)
    standing = schedule_of(merchant_id=store.merchant_id)
    assert standing.cut_off.isoformat() == trail[0].detail["to"]["cut_off"]
