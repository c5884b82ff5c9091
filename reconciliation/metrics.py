"""What reconciliation tells Prometheus: how old its open breaks are, and what is late."""

from collections.abc import Iterator

from django.db import connection

from core.alerts import open_subjects
from core.metrics import Family, Gauges, Sample
from merchants.selectors import merchant_ids
from reconciliation.sources.watching import LATE

__all__ = ["GAUGES"]

# Found by reconciliation_break_queue, the index of what is open; more than these are not counted.
_MOST = 5000
_BREAKS = """
    SELECT category, break_class, currency, count(*), sum(amount_minor),
        count(*) FILTER (WHERE due_at < clock_timestamp()),
        extract(epoch FROM clock_timestamp() - min(created_at))
    FROM (SELECT category, break_class, currency, amount_minor, due_at, created_at
          FROM reconciliation_discrepancy WHERE merchant_id = ANY (%s::uuid[]) AND status <> 'RESOLVED'
          LIMIT %s) AS open_breaks GROUP BY 1, 2, 3
"""


def _breaks() -> Iterator[Sample]:
    with connection.cursor() as cursor:
        cursor.execute(_BREAKS, [merchant_ids(), _MOST])
        for category, kind, currency, number, minor, overdue, oldest in cursor.fetchall():
            labels = (category, kind, currency)
            yield Sample("quittance_breaks_open", number, labels)
            yield Sample("quittance_breaks_value_minor", int(minor), labels)
            yield Sample("quittance_breaks_overdue", overdue, labels)
            yield Sample("quittance_breaks_oldest_seconds", max(0, int(oldest)), labels)


def _late() -> Iterator[Sample]:
    yield Sample("quittance_settlement_files_late", len(open_subjects(LATE)))


_LABELS = ("category", "break_class", "currency")
GAUGES = (
    Gauges(
        "reconciliation_breaks",
        (
            Family("quittance_breaks_open", f"Open breaks, of the first {_MOST}.", _LABELS),
            Family("quittance_breaks_value_minor", "Money at stake in them, in minor units.", _LABELS),
            Family("quittance_breaks_overdue", "Those whose time to be explained is over.", _LABELS),
            Family("quittance_breaks_oldest_seconds", "Age of the oldest of them.", _LABELS),
        ),
        _breaks,
    ),
    Gauges(
        "reconciliation_files",
        (Family("quittance_settlement_files_late", "Business days whose file is late, at most 200."),),
        _late,
    ),
)
