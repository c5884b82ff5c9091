"""Who is told of an alert is written down with the alert; a drain tells them (see events.sender_alerts)."""

from uuid import UUID

from django.conf import settings

from core import clock
from core.models import AlertNotice
from core.nudges import nudge
from core.transactions import requires_transaction

__all__ = ["QUEUE", "notify", "ways"]

QUEUE = "alerts"


def ways() -> list[str]:
    """Return the ways that the installation has for telling people."""
    return [
        *(["email"] if settings.ALERT_EMAIL_TO else []),
        *(["webhook"] if settings.ALERT_WEBHOOK_URL else []),
    ]


@requires_transaction
def notify(*, case_id: UUID, severity: str) -> None:
    """Make one message due for each way, once for a case and severity however often this is called."""
    now = clock.now()
    rows = [
        AlertNotice(case_id=case_id, severity=severity, way=way, created_at=now, due_at=now) for way in ways()
    ]
    if rows:
        AlertNotice.objects.bulk_create(rows, ignore_conflicts=True)
        nudge(QUEUE)
