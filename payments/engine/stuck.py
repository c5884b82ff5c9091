"""Payments whose outcome is missing: which, since when, and how much money is in doubt.

What waits for the buyer is not stuck. What is due is found by the index of due work; what is not due any
more (buried, or in conflict) by its open dead letter or case. So this stays fast however many payments ended.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from core import clock
from core.alerts import Alert, end_alert, raise_alert
from core.history import SYSTEM
from core.ids import parse_public_id, public_id
from core.models import Case, DeadLetter
from core.money import format_minor
from core.settings_store import Declared, get_setting
from core.transactions import requires_transaction

__all__ = [
    "ALERTS",
    "KINDS",
    "SETTINGS",
    "STUCK",
    "Waiting",
    "raise_stuck",
    "values_waiting",
    "waiting",
    "watch_stuck",
]

STUCK, CONFLICT = "payment_stuck", "charge_conflict"
KINDS = (CONFLICT, STUCK)
ALERTS = (
    Alert(
        STUCK,
        "Payments without an outcome",
        "Nobody knows whether the buyer was charged. The provider is being asked; do not charge again.",
        timedelta(hours=4),
        page="console:unknown",
        query="",
    ),
    Alert(
        CONFLICT,
        "A provider contradicts us",
        "Nothing is posted for these payments until two people have decided.",
        timedelta(hours=4),
        page="console:unknown",
        query="",
    ),
    Alert(
        "webhooks_silent",
        "No webhook while money flows",
        "The provider takes payments and tells nothing. Results come later, by asking.",
        timedelta(hours=1),
    ),
)
_PORTION = 500
_MOST_BURIED = 1000


def _minutes(value: int) -> None:
    if not 1 <= value <= 10_080:
        raise ValueError("between one minute and a week")


def _hours(value: int) -> None:
    if not 1 <= value <= 720:
        raise ValueError("between one hour and 30 days")


SETTINGS = (
    Declared(
        "payments.pending_usual_minutes",
        "How long a provider usually needs for a payment that it processes; longer is shown at the desk.",
        int,
        60,
        _minutes,
    ),
    Declared(
        "payments.stuck_unknown_minutes",
        "After so long without a trustworthy answer a payment gets a case and an alert.",
        int,
        15,
        _minutes,
    ),
    Declared(
        "payments.stuck_processing_hours",
        "After so long at the provider without an outcome a payment gets a case and an alert.",
        int,
        24,
        _hours,
    ),
)


@dataclass(frozen=True)
class Waiting:
    """A charge whose outcome is missing, by its oldest operation; `next_look` is None when nobody asks.

    `status` is that of the operation. `reason` is unknown, processing, conflict or buried.
    """

    charge_id: UUID
    checkout_id: UUID | None
    merchant_id: UUID
    channel_id: UUID
    charge_status: str
    amount_minor: int
    currency: str
    operation_id: UUID
    kind: str
    status: str
    reason: str
    since: datetime
    attempts: int
    next_look: datetime | None
    error: str


# `since` is when the charge came into the state in which it waits; for what moves no money in (closing, a
# refund), when it was first sent.
_FOUND = """
    SELECT DISTINCT ON (c.id) c.id AS charge_id, c.checkout_id, c.merchant_id, c.channel_id,
        c.status AS charge_status, c.amount_minor, c.amount_currency AS currency,
        o.id AS operation_id, o.kind, o.status,
        CASE WHEN o.status = 'CONFLICTED' THEN 'conflict' WHEN o.due_at IS NULL THEN 'buried'
            WHEN o.status = 'PENDING' THEN 'processing' ELSE 'unknown' END AS reason,
        s.since, o.asked + o.attempts AS attempts, o.due_at, o.error
    FROM payments_pspoperation o JOIN payments_charge c ON c.id = o.charge_id
    CROSS JOIN LATERAL (SELECT CASE
        WHEN o.kind IN ('register', 'confirm') AND c.status IN ('PENDING', 'UNKNOWN', 'CONFLICTED')
        THEN c.updated_at ELSE coalesce(o.first_sent_at, o.created_at) END AS since) s
    WHERE {which}
    ORDER BY c.id, s.since, o.id
"""
_DUE = """
    o.due_at IS NOT NULL AND o.dispute_id IS NULL AND (
        (o.status = 'UNKNOWN' AND s.since <= %(unknown)s)
        OR (o.status = 'SENT' AND o.due_at <= %(now)s AND s.since <= %(unknown)s)
        OR (o.status = 'PENDING' AND s.since <= %(processing)s
            AND NOT (o.kind IN ('register', 'confirm') AND c.status = 'REQUIRES_ACTION'))
        OR (o.status IN ('CREATED', 'NOT_SENT') AND s.since <= %(unsent)s))
"""
_NOT_DUE = """
    (o.due_at IS NULL AND o.id = ANY (%(buried)s::uuid[])
        AND o.status IN ('CREATED', 'SENT', 'NOT_SENT', 'PENDING', 'UNKNOWN'))
    OR (o.charge_id = ANY (%(frozen)s::uuid[]) AND o.status = 'CONFLICTED')
"""
_ALL = f"({_FOUND.format(which=_DUE)}) UNION ALL ({_FOUND.format(which=_NOT_DUE)})"
# A charge may wait for several things: the oldest of them counts.
_EACH = f"SELECT DISTINCT ON (charge_id) * FROM ({_ALL}) AS every ORDER BY charge_id, since, operation_id"  # noqa: S608
_PAGE = f"""
    SELECT * FROM ({_EACH}) AS found WHERE charge_id = ANY (%(only)s::uuid[]) OR %(all)s
    ORDER BY since, amount_minor DESC, charge_id LIMIT %(limit)s
"""  # noqa: S608
_TOTALS = f"""
    SELECT currency, count(*), sum(amount_minor) FROM ({_EACH}) AS found GROUP BY currency ORDER BY currency
"""  # noqa: S608
_DUE_PAGE = f"""
    SELECT * FROM ({_FOUND.format(which=_DUE)}) AS found WHERE (since, charge_id) > (%(after)s, %(after_id)s)
    ORDER BY since, charge_id LIMIT %(limit)s
"""  # noqa: S608


def waiting(*, limit: int = 100, only: Collection[UUID] | None = None) -> list[Waiting]:
    """Return charges whose outcome is missing, the oldest first and the dearest of these: at most `limit`.

    What is unknown is among them at once, what the provider processes when it takes longer than usual.
    """
    place = {"limit": limit, "all": only is None, "only": list(only or [])}
    return [Waiting(*row) for row in _rows(_PAGE, **_seen_at_the_desk(), **place)]


def values_waiting() -> list[tuple[str, int, int]]:
    """Return for each currency how many charges wait, and how much (minor units) is at risk."""
    return [(row[0], row[1], int(row[2])) for row in _rows(_TOTALS, **_seen_at_the_desk())]


@requires_transaction
def watch_stuck(*, limit: int = 200) -> tuple[int, int]:
    """Open a case for each charge that waits too long, and close those whose outcome came.

    Returns how many were opened and closed; each at most `limit` in one call. There is one open case for a
    charge, however often this runs.
    """
    return _open_cases(limit), _close_cases(limit)


def _open_cases(limit: int) -> int:
    now, opened = clock.now(), 0
    bounds = _bounds(
        unknown=now - timedelta(minutes=get_setting(name="payments.stuck_unknown_minutes")),
        processing=now - timedelta(hours=get_setting(name="payments.stuck_processing_hours")),
    )
    place: dict[str, Any] = {"after": datetime.min.replace(tzinfo=now.tzinfo), "after_id": UUID(int=0)}
    while opened < limit:
        page = [Waiting(*row) for row in _rows(_DUE_PAGE, **bounds, **place, limit=_PORTION)]
        known = _with_case([each.charge_id for each in page])
        for each in [each for each in page if each.charge_id not in known][: limit - opened]:
            opened += raise_stuck(each) is not None
        if len(page) < _PORTION:
            break
        place = {"after": page[-1].since, "after_id": page[-1].charge_id}
    return opened


@requires_transaction
def raise_stuck(each: Waiting, *, by: str = SYSTEM) -> Case | None:
    """Open the case of a charge that waits; None when it is open already."""
    amount = f"{format_minor(each.amount_minor, each.currency)} {each.currency}"
    what = "is still at the provider" if each.reason == "processing" else "has no trustworthy answer"
    return raise_alert(
        STUCK,
        subject=public_id("chg", each.charge_id),
        summary=f"{each.kind} of {amount} {what} since {each.since:%Y-%m-%d %H:%M} UTC"
        + (f": {each.error}" if each.error else ""),
        detail={"charge_id": str(each.charge_id), "operation_id": str(each.operation_id)},
        value_minor=each.amount_minor,
        currency=each.currency,
        merchant_id=each.merchant_id,
        by=by,
    )


def _with_case(charge_ids: list[UUID]) -> set[UUID]:
    subjects = {public_id("chg", key): key for key in charge_ids}
    is_open = Case.objects.filter(kind__in=KINDS, subject__in=list(subjects)).exclude(status="CLOSED")
    return {subjects[subject] for subject in is_open.values_list("subject", flat=True)}


def _close_cases(limit: int) -> int:
    closed, after = 0, UUID(int=0)
    is_open = Case.objects.filter(kind=STUCK).exclude(status="CLOSED").order_by("pk")
    while closed < limit:
        page = dict(is_open.filter(pk__gt=after).values_list("pk", "subject")[:_PORTION])
        if not page:
            break
        keys = {key: subject for subject in page.values() if (key := parse_public_id(subject, "chg"))}
        for charge_id, charge_status, is_answered in _rows(_ENDED, keys=list(keys)):
            if is_answered and closed < limit:
                end_alert(STUCK, subject=keys[charge_id], resolution=_resolution(charge_status))
                closed += 1
        after = max(page)
    return closed


_ENDED = """
    SELECT c.id, c.status, NOT EXISTS (
        SELECT FROM payments_pspoperation o WHERE o.charge_id = c.id
            AND (o.status IN ('SENT', 'UNKNOWN', 'CREATED', 'NOT_SENT') OR (o.status = 'PENDING'
                AND NOT (o.kind IN ('register', 'confirm') AND c.status = 'REQUIRES_ACTION')))
    ) FROM payments_charge c WHERE c.id = ANY (%(keys)s::uuid[]) ORDER BY c.id
"""


def _resolution(charge_status: str) -> str:
    if charge_status == "REQUIRES_ACTION":
        return "The provider answered: it waits for the buyer."
    if charge_status == "CONFLICTED":
        return "The provider answered, and contradicts us: two people decide."
    return f"The outcome came: the charge is {charge_status}."


def _seen_at_the_desk() -> dict[str, Any]:
    now = clock.now()
    usual = timedelta(minutes=get_setting(name="payments.pending_usual_minutes"))
    late = timedelta(minutes=get_setting(name="payments.stuck_unknown_minutes"))
    letters = DeadLetter.objects.filter(queue="operations", status="OPEN").order_by("pk")
    conflicts = Case.objects.filter(kind=CONFLICT).exclude(status="CLOSED").order_by("pk")
    subjects = letters.values_list("subject", flat=True)[:_MOST_BURIED]
    frozen = conflicts.values_list("subject", flat=True)[:_MOST_BURIED]
    return _bounds(unknown=now, processing=now - usual, unsent=now - late) | {
        "buried": [key for subject in subjects if (key := parse_public_id(subject, "op"))],
        "frozen": [key for subject in frozen if (key := parse_public_id(subject, "chg"))],
    }


def _bounds(*, unknown: datetime, processing: datetime, unsent: datetime | None = None) -> dict[str, Any]:
    return {"now": clock.now(), "unknown": unknown, "processing": processing, "unsent": unsent or unknown}


def _rows(sql: str, **params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
