"""What pay-out tells Prometheus: what waits, what is under way, and what is in doubt."""

from collections.abc import Iterator

from django.db import connection

from core.metrics import Family, Gauges, Sample
from merchants.selectors import merchant_ids

__all__ = ["GAUGES"]

_STATES = ("REQUESTED", "IN_REVIEW", "BLOCKED", "APPROVED", "SENT", "UNKNOWN")
# payouts_payout_by_status begins with the merchant and the status; more than these are not counted.
_MOST = 5000
_OPEN = """
    SELECT s.status, p.amount_currency, count(*), sum(p.amount_minor),
        coalesce(extract(epoch FROM clock_timestamp() - min(p.created_at)), 0)
    FROM unnest(%s::uuid[]) AS m (id) CROSS JOIN unnest(%s::text[]) AS s (status) CROSS JOIN LATERAL (
        SELECT amount_currency, amount_minor, created_at FROM payouts_payout
        WHERE merchant_id = m.id AND status = s.status ORDER BY created_at, id LIMIT %s) p
    GROUP BY 1, 2
"""


def _payouts() -> Iterator[Sample]:
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, [merchant_ids(), list(_STATES), _MOST])
        for status, currency, number, minor, oldest in cursor.fetchall():
            labels = (status.lower(), currency)
            yield Sample("quittance_payouts_open", number, labels)
            yield Sample("quittance_payouts_value_minor", int(minor), labels)
            yield Sample("quittance_payouts_oldest_seconds", max(0, int(oldest)), labels)


_LABELS = ("status", "currency")
GAUGES = (
    Gauges(
        "payouts_open",
        (
            Family(
                "quittance_payouts_open", f"Payouts before their end, at most {_MOST} of a kind.", _LABELS
            ),
            Family("quittance_payouts_value_minor", "Money in them, in minor units.", _LABELS),
            Family("quittance_payouts_oldest_seconds", "Age of the oldest of them.", _LABELS),
        ),
        _payouts,
    ),
)
