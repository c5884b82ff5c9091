"""Payouts that take too long: which, since when, and how much money is in doubt."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from core import clock
from core.alerts import Alert, end_alert, open_subjects, raise_alert
from core.ids import parse_public_id
from core.models import DeadLetter
from core.money import format_minor
from core.settings_store import Declared, get_settings
from core.transactions import requires_transaction
from payouts.engine.failures import QUEUE
from payouts.models import Payout, PayoutAttempt

__all__ = ["ALERTS", "BLOCKED", "SETTINGS", "STUCK", "watch_payouts"]

STUCK, BLOCKED = "payout_stuck", "payout_blocked"
ALERTS = (
    Alert(
        STUCK,
        "Payouts without an outcome",
        "Nobody knows whether the money left, or it should have and did not. Do not pay it again.",
        timedelta(hours=4),
    ),
    Alert(
        BLOCKED,
        "Payouts that are stopped",
        "Sellers wait for money that was said yes to. What stops it is written at the payout.",
        timedelta(hours=24),
    ),
)
_PORTION = 200
_IN_DOUBT = ("EXECUTING", "UNKNOWN")


def _minutes(value: int) -> None:
    if not 1 <= value <= 10_080:
        raise ValueError("between one minute and a week")


def _hours(value: int) -> None:
    if not 1 <= value <= 720:
        raise ValueError("between one hour and 30 days")


SETTINGS = (
    Declared(
        "payouts.stuck_unknown_minutes",
        "After so long without a trustworthy answer a payout gets a case and an alert.",
        int,
        15,
        _minutes,
    ),
    Declared(
        "payouts.stuck_sent_hours",
        "After so long at the bank without a word of it a payout gets a case and an alert.",
        int,
        120,
        _hours,
    ),
    Declared(
        "payouts.blocked_hours",
        "After so long behind a closed gate a payout gets a case and an alert.",
        int,
        24,
        _hours,
    ),
)


@requires_transaction
def watch_payouts() -> tuple[int, int]:
    """Open a case for each payout that takes too long, and close those that do not any more.

    Returns how many were opened and closed. There is one open case for a payout, however often this runs.
    """
    values = get_settings(names=[each.name for each in SETTINGS])
    now = clock.now()
    opened = sum(
        _raise(STUCK, payout, f"has no trustworthy answer since {payout.updated_at:%Y-%m-%d %H:%M} UTC")
        for payout in _at_the_bank(
            Q(
                payout__status__in=_IN_DOUBT,
                payout__updated_at__lte=now - timedelta(minutes=values["payouts.stuck_unknown_minutes"]),
            )
        )
    )
    sent_before = now - timedelta(hours=values["payouts.stuck_sent_hours"])
    opened += sum(
        _raise(STUCK, payout, f"was sent on {payout.sent_at:%Y-%m-%d} and not paid, as far as is known")
        for payout in _at_the_bank(Q(payout__status="SENT", payout__sent_at__lte=sent_before))
    )
    opened += sum(
        _raise(STUCK, payout, f"should have left on {payout.execute_on} and did not") for payout in _late(now)
    )
    blocked_before = now - timedelta(hours=values["payouts.blocked_hours"])
    stopped = Payout.objects.filter(status="BLOCKED", updated_at__lte=blocked_before).order_by("pk")
    opened += sum(_raise(BLOCKED, payout, f"is stopped: {payout.why_held}") for payout in stopped[:_PORTION])
    return opened, _close()


def _at_the_bank(which: Q) -> Iterable[Payout]:
    """What is in batches that somebody still looks at, or should: found by the index of due work."""
    letters = DeadLetter.objects.filter(queue=QUEUE, status="OPEN").values_list("subject", flat=True)
    buried = [key for subject in letters[:_PORTION] if (key := parse_public_id(subject, "pob"))]
    rows = PayoutAttempt.objects.filter(Q(batch__due_at__isnull=False) | Q(batch_id__in=buried), which)
    rows = rows.exclude(status__in=("CANCELED", "REFUSED", "RETURNED")).select_related("payout")
    return [each.payout for each in rows.order_by("payout__updated_at", "pk")[:_PORTION]]


def _late(now: datetime) -> Iterable[Payout]:
    """What has its yes and its day, and is still here a day later."""
    late = Payout.objects.filter(status="APPROVED", execute_on__lt=now.date() - timedelta(days=1))
    return late.order_by("execute_on", "pk")[:_PORTION]


def _raise(name: str, payout: Payout, what: str) -> bool:
    amount = f"{format_minor(payout.amount_minor, payout.currency)} {payout.currency}"
    case = raise_alert(
        name,
        subject=payout.public_id,
        summary=f"A payout of {amount} {what}",
        detail={"payout_id": str(payout.id), "status": payout.status},
        value_minor=payout.amount_minor,
        currency=payout.currency,
        merchant_id=payout.merchant_id,
    )
    return case is not None


def _close() -> int:
    closed = 0
    for name, standing in ((STUCK, (*_IN_DOUBT, "SENT", "APPROVED")), (BLOCKED, ("BLOCKED",))):
        keys: dict[UUID, str] = {
            key: subject for subject in open_subjects(name) if (key := parse_public_id(subject, "po"))
        }
        for payout in Payout.objects.filter(pk__in=list(keys)).exclude(status__in=standing).order_by("pk"):
            end_alert(name, subject=keys[payout.pk], resolution=f"The payout is {payout.status}.")
            closed += 1
    return closed
