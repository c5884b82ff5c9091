"""What pay-in tells Prometheus: how many payments are accepted, and which have no outcome."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import connection

from core import clock
from core.metrics import Family, Gauges, Sample
from core.prometheus_rules import Rule
from payments.engine.stuck import values_waiting
from payments.outcome_counts import ENDS

__all__ = ["GAUGES", "RULES"]

_RECENT = timedelta(minutes=15)
# Ids begin with the time (UUIDv7), so the newest charges are a piece of the primary key; a busy quarter of an
# hour has tens of thousands of them.
_CHARGES = """
    SELECT h.name, c.payment_method, c.status, count(*) FROM payments_charge c
    JOIN channels_channel h ON h.id = c.channel_id WHERE c.id >= %s GROUP BY 1, 2, 3
"""


def _charges() -> Iterator[Sample]:
    with connection.cursor() as cursor:
        cursor.execute(_CHARGES, [_first_id((clock.now() - _RECENT).timestamp())])
        rows = cursor.fetchall()
    found: dict[tuple[str, str, str], int] = {}
    for channel, method, status, number in rows:
        key = (channel, method, ENDS.get(status, "open"))
        found[key] = found.get(key, 0) + number
    for key, number in found.items():
        yield Sample("quittance_charges_recent", number, key)


def _unknown() -> Iterator[Sample]:
    for currency, number, minor in values_waiting():
        yield Sample("quittance_unknown_outcomes", number, (currency,))
        yield Sample("quittance_unknown_value_minor", minor, (currency,))


def _first_id(seconds: float) -> UUID:
    """Return the lowest UUIDv7 of a moment (RFC 9562: 48 bits of milliseconds in front)."""
    return UUID(int=int(seconds * 1000) << 80)


GAUGES = (
    Gauges(
        "payments_recent",
        (
            Family(
                "quittance_charges_recent",
                "Charges of the last 15 minutes: accepted, declined, given_up, unknown, open.",
                ("channel", "method", "outcome"),
            ),
        ),
        _charges,
    ),
    Gauges(
        "payments_unknown",
        (
            Family("quittance_unknown_outcomes", "Charges whose outcome nobody knows.", ("currency",)),
            Family("quittance_unknown_value_minor", "Money at risk in them, in minor units.", ("currency",)),
        ),
        _unknown,
    ),
)
# A provider that declines what it usually takes is down in all but name.
RULES = (
    Rule(
        "payments_declined",
        "sum by (channel, method) (max by (channel, method, outcome)"
        ' (quittance_charges_recent{outcome="declined"}))'
        " / sum by (channel, method) (max by (channel, method, outcome)"
        ' (quittance_charges_recent{outcome=~"accepted|declined"})) > 0.5'
        " and sum by (channel, method) (max by (channel, method, outcome)"
        ' (quittance_charges_recent{outcome=~"accepted|declined"})) >= 20',
        minutes=5,
        says="More than half of the payments by {{ $labels.method }} over {{ $labels.channel }} fail.",
    ),
)
