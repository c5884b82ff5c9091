"""A merchant's working days: which zone, until when, and whose bank holidays."""

from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import IntegrityError, transaction

from core import clock
from core.api.errors import InvalidField
from core.audit_trail import record_audit, required_reason
from core.ids import public_id
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from merchants.selectors import get_merchant
from payouts.calendar import CALENDARS
from payouts.locks import lock_schedule
from payouts.models import PayoutSchedule

__all__ = ["ANY_TIME", "MerchantDays", "ScheduleData", "enabled_schedules", "put_schedule", "schedule_of"]


@dataclass(frozen=True)
class ScheduleData:
    """A merchant's working days; with `is_enabled` its sellers are paid out on them without being asked."""

    timezone: str
    cut_off: time
    calendar: str
    is_enabled: bool


@dataclass(frozen=True)
class MerchantDays:
    """The working days of one merchant, and since when they are as they are."""

    merchant_id: UUID
    schedule: ScheduleData
    known_since: datetime


ANY_TIME = ScheduleData(timezone="UTC", cut_off=time.max, calendar="EVERY_DAY", is_enabled=False)
"""What holds for a merchant that has none: what is asked for is sent the same day, at whatever hour."""


def schedule_of(*, merchant_id: UUID) -> ScheduleData:
    """Return a merchant's working days; ANY_TIME when nobody said which."""
    row = PayoutSchedule.objects.filter(merchant_id=merchant_id).first()
    return _data(row) if row else ANY_TIME


def enabled_schedules() -> list[MerchantDays]:
    """Return the working days of every merchant whose sellers are paid out on them."""
    rows = PayoutSchedule.objects.filter(is_enabled=True).order_by("merchant_id")
    return [MerchantDays(row.merchant_id, _data(row), row.updated_at) for row in rows]


@requires_transaction
def put_schedule(
    *,
    merchant_id: UUID,
    timezone: str,
    cut_off: time,
    calendar: str,
    is_enabled: bool,
    by: str,
    reason: str,
) -> ScheduleData:
    """Say which are a merchant's working days from now on; what was asked for before keeps its day.

    Raises NotFound for a merchant that does not exist, ReasonRequired, InvalidField (timezone, cut_off or
    calendar).
    """
    reason = required_reason(reason)
    get_merchant(merchant_id=merchant_id)
    wanted = ScheduleData(timezone, cut_off, calendar, is_enabled)
    _check(wanted)
    row = lock_schedule(merchant_id=merchant_id)
    before = _data(row) if row else None
    if row is None:
        row = _begin(merchant_id, wanted)
    if _data(row) != wanted:
        row.timezone, row.cut_off, row.calendar = timezone, cut_off, calendar
        row.is_enabled, row.updated_at = is_enabled, clock.now()
        row.save(update_fields=["timezone", "cut_off", "calendar", "is_enabled", "updated_at"])
    record_audit(
        actor=by,
        action="payout_schedule.put",
        subject=public_id("mer", merchant_id),
        reason=reason,
        detail={"from": _shown(before) if before else None, "to": _shown(wanted)},
        merchant_id=merchant_id,
    )
    return wanted


def _begin(merchant_id: UUID, wanted: ScheduleData) -> PayoutSchedule:
    now = clock.now()
    row = PayoutSchedule(merchant_id=merchant_id, created_at=now, updated_at=now, **asdict(wanted))
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) != UNIQUE_VIOLATION:
            raise
        # Somebody else said it first, at the same moment.
        standing = lock_schedule(merchant_id=merchant_id)
        assert standing is not None, "schedules are never deleted"
        return standing
    return row


def _check(wanted: ScheduleData) -> None:
    try:
        ZoneInfo(wanted.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidField("Name a time zone, such as Europe/Berlin.", param="timezone") from None
    if wanted.cut_off.tzinfo is not None:
        raise InvalidField("The cut-off is a time of day in the zone.", param="cut_off")
    if wanted.calendar not in CALENDARS:
        raise InvalidField(f"The calendar is one of {', '.join(CALENDARS)}.", param="calendar")


def _data(row: PayoutSchedule) -> ScheduleData:
    return ScheduleData(row.timezone, row.cut_off, row.calendar, row.is_enabled)


def _shown(data: ScheduleData) -> dict[str, Any]:
    return asdict(data) | {"cut_off": data.cut_off.isoformat()}
