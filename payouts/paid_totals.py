"""What was paid out to sellers, quarter by quarter."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

__all__ = ["paid_to_sellers"]

_PAID = """
    SELECT seller_id, amount_currency, extract(quarter FROM paid_at AT TIME ZONE %(zone)s)::int,
        count(*), sum(amount_minor)::bigint
    FROM payouts_payout
    WHERE merchant_id = %(merchant)s AND seller_id = ANY (%(sellers)s) AND status = 'PAID'
        AND paid_at >= %(since)s AND paid_at < %(until)s
    GROUP BY 1, 2, 3
"""


def paid_to_sellers(
    *, merchant_id: UUID, seller_ids: Collection[UUID], since: datetime, until: datetime, zone: str
) -> dict[tuple[UUID, str, int], tuple[int, int]]:
    """Return how many payouts were paid to these sellers and how much, in minor units; none that came back.

    By seller, currency and quarter of the zone, from `since` until before `until`; it is the time of the
    evidence that counts.
    """
    words: dict[str, Any] = {
        "merchant": merchant_id,
        "sellers": list(seller_ids),
        "since": since,
        "until": until,
        "zone": zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(_PAID, words)
        return {(row[0], row[1], row[2]): (row[3], row[4]) for row in cursor.fetchall()}
