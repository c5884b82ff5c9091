"""What the kernel tells Prometheus: queues, dead letters, alerts, and verdicts on the invariants."""

from collections.abc import Iterator
from datetime import datetime

from django.db import connection
from django.db.models import Count

from core import clock
from core.alerts import active_alerts
from core.audit_seals import trail_lag
from core.drain import drains, get_drain
from core.metrics import Family, Gauges, Sample
from core.models import AuditRun, DeadLetter
from core.verdicts import latest_verdicts

__all__ = ["GAUGES"]

# Beyond this nobody needs the exact figure, and counting would become slow.
_MOST = 1000


def _queues() -> Iterator[Sample]:
    now = clock.now()
    for name in drains():
        sql = get_drain(name).due_sql()
        if not sql:
            continue
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*), min(due) FROM ({sql} LIMIT {_MOST}) AS waiting (due)",  # noqa: S608
                {"now": now},
            )
            number, oldest = cursor.fetchone()
        yield Sample("quittance_queue_due", number, (name,))
        yield Sample("quittance_queue_oldest_seconds", _age(oldest, now), (name,))


def _dead_letters() -> Iterator[Sample]:
    for queue, number in DeadLetter.objects.filter(status="OPEN").values_list("queue").annotate(Count("pk")):
        yield Sample("quittance_dead_letters", number, (queue,))


def _alerts() -> Iterator[Sample]:
    for each in active_alerts():
        yield Sample("quittance_alerts_active", each.count, (each.alert.name, each.severity))


def _audits() -> Iterator[Sample]:
    now = clock.now()
    for each in latest_verdicts():
        yield Sample("quittance_invariant_broken", each.verdict in ("violated", "failed"), (each.name,))
    for is_full in (False, True):
        run = AuditRun.objects.order_by("-started_at")
        last = (run.filter(is_full=True) if is_full else run).values_list("finished_at", flat=True).first()
        # Nobody has looked since the beginning: an age of years, which no rule overlooks.
        age = _age(last, now) if last else now.timestamp()
        yield Sample("quittance_audit_age_seconds", age, ("full" if is_full else "any",))
    yield Sample("quittance_trail_unsealed_seconds", trail_lag().seconds)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


GAUGES = (
    Gauges(
        "queues",
        (
            Family("quittance_queue_due", f"Rows that are due in a queue, at most {_MOST}.", ("queue",)),
            Family("quittance_queue_oldest_seconds", "Age of the oldest due row; 0 if none.", ("queue",)),
        ),
        _queues,
    ),
    Gauges(
        "dead_letters",
        (Family("quittance_dead_letters", "Work that failed for good and waits for a person.", ("queue",)),),
        _dead_letters,
    ),
    Gauges(
        "alerts",
        (Family("quittance_alerts_active", "Open cases of an alert.", ("alert", "severity")),),
        _alerts,
    ),
    Gauges(
        "audits",
        (
            Family("quittance_invariant_broken", "1 if broken, or not examined to its end.", ("invariant",)),
            Family("quittance_audit_age_seconds", "Seconds since the last run of the invariants.", ("run",)),
            Family("quittance_trail_unsealed_seconds", "Age of the oldest audit record without a seal."),
        ),
        _audits,
    ),
)
