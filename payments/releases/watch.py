"""Releases that are late: due for a while and not done, which means that the worker does not get to them."""

from datetime import timedelta

from django.db.models import Min

from core import clock
from core.alerts import Alert, end_alert, raise_alert
from core.settings_store import Declared, get_setting
from core.transactions import requires_transaction
from payments.models import OrderShare

__all__ = ["ALERT", "OVERDUE", "watch_releases"]

_SUBJECT = "releases"


def _minutes(value: int) -> None:
    if not 1 <= value <= 10_080:
        raise ValueError("between one minute and a week")


ALERT = Alert(
    "release_overdue",
    "Sellers wait for released money",
    "Orders are due for release and nobody releases them. Sellers cannot be paid out what they earned.",
    timedelta(hours=4),
)
OVERDUE = Declared(
    "payments.release_overdue_minutes",
    "After so long past its time a release that was not done raises an alert.",
    int,
    60,
    _minutes,
)


@requires_transaction
def watch_releases() -> bool:
    """Raise the alert while any release is late, and end it when none is; return whether one is."""
    before = clock.now() - timedelta(minutes=get_setting(name=OVERDUE.name))
    oldest = OrderShare.objects.filter(due_at__lt=before).aggregate(at=Min("due_at"))["at"]
    if oldest is None:
        end_alert(ALERT.name, subject=_SUBJECT, resolution="Everything that was due is released.")
        return False
    raise_alert(
        ALERT.name,
        subject=_SUBJECT,
        summary=f"The oldest release has been due since {oldest:%Y-%m-%d %H:%M} UTC",
    )
    return True
