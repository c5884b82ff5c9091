"""What wallets tell Prometheus: how much money is set aside, and what for."""

from collections.abc import Iterator

from django.db import connection

from core.metrics import Family, Gauges, Sample

__all__ = ["GAUGES"]

# Found by the index of open holds; more than these are not counted, so that a scrape stays short.
_MOST = 20_000
_HOLDS = """
    SELECT h.purpose, w.currency, count(*), sum(h.amount_minor)
    FROM (SELECT purpose, wallet_id, amount_minor FROM wallet_hold WHERE state = 'OPEN' LIMIT %s) h
    JOIN wallet_wallet w ON w.id = h.wallet_id GROUP BY 1, 2
"""


def _holds() -> Iterator[Sample]:
    with connection.cursor() as cursor:
        cursor.execute(_HOLDS, [_MOST])
        for purpose, currency, number, minor in cursor.fetchall():
            yield Sample("quittance_holds_open", number, (purpose, currency))
            yield Sample("quittance_holds_value_minor", int(minor), (purpose, currency))


GAUGES = (
    Gauges(
        "wallet_holds",
        (
            Family("quittance_holds_open", f"Open holds, of the first {_MOST}.", ("purpose", "currency")),
            Family("quittance_holds_value_minor", "Money in them, in minor units.", ("purpose", "currency")),
        ),
        _holds,
    ),
)
