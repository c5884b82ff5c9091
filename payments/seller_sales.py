"""What sellers sold and what was given back of it, quarter by quarter, for those who report it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

__all__ = ["SalesOfQuarter", "sales_of_sellers"]


@dataclass(frozen=True)
class SalesOfQuarter:
    """One seller's quarter in one currency, in minor units; quarters count from 1 within the year.

    `gross_minor` is what buyers paid for `sales` orders, `returned_minor` what went back to them by refunds
    and reversals. `commission_minor` (with the tax in it) is what the marketplace kept of what was sold, less
    what it gave back with what was returned.
    """

    seller_id: UUID
    currency: str
    quarter: int
    sales: int
    gross_minor: int
    returned_minor: int
    commission_minor: int


# What was sold counts when it was captured; what was given back, when it had succeeded.
_SALES = """
    SELECT seller_id, currency, extract(quarter FROM at AT TIME ZONE %(zone)s)::int,
        sum(sales)::bigint, sum(gross)::bigint, sum(returned)::bigint, sum(commission)::bigint
    FROM (
        SELECT o.seller_id, o.amount_currency AS currency, share.captured_at AS at, 1 AS sales,
            share.seller_net_minor + share.commission_minor + share.tax_minor AS gross, 0 AS returned,
            share.commission_minor + share.tax_minor AS commission
        FROM payments_ordershare AS share JOIN payments_paymentorder AS o ON o.id = share.order_id
        WHERE o.merchant_id = %(merchant)s AND o.seller_id = ANY (%(sellers)s)
            AND share.captured_at >= %(since)s AND share.captured_at < %(until)s
        UNION ALL
        SELECT o.seller_id, o.amount_currency, refund.succeeded_at, 0, 0, line.amount_minor,
            -line.commission_minor - line.tax_minor
        FROM payments_refundline AS line JOIN payments_refund AS refund ON refund.id = line.refund_id
        JOIN payments_paymentorder AS o ON o.id = line.order_id
        WHERE o.merchant_id = %(merchant)s AND o.seller_id = ANY (%(sellers)s) AND refund.status = 'SUCCESS'
            AND refund.succeeded_at >= %(since)s AND refund.succeeded_at < %(until)s
        UNION ALL
        SELECT o.seller_id, o.amount_currency, reversal.recorded_at, 0, 0, line.amount_minor,
            -line.commission_minor - line.tax_minor
        FROM payments_reversalline AS line
        JOIN payments_chargereversal AS reversal ON reversal.charge_id = line.reversal_id
        JOIN payments_paymentorder AS o ON o.id = line.order_id
        WHERE o.merchant_id = %(merchant)s AND o.seller_id = ANY (%(sellers)s)
            AND reversal.recorded_at >= %(since)s AND reversal.recorded_at < %(until)s
        UNION ALL
        -- What a provider denies, and what it has after all.
        SELECT o.seller_id, o.amount_currency, told.at, 0, 0, told.sign * line.amount_minor,
            -told.sign * (line.commission_minor + line.tax_minor)
        FROM payments_denialline AS line JOIN payments_chargedenial AS denial ON denial.id = line.denial_id
        CROSS JOIN LATERAL (VALUES (denial.recorded_at, 1), (denial.ended_at, -1)) AS told(at, sign)
        JOIN payments_paymentorder AS o ON o.id = line.order_id
        WHERE o.merchant_id = %(merchant)s AND o.seller_id = ANY (%(sellers)s)
            AND told.at >= %(since)s AND told.at < %(until)s
    ) AS moved
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""


def sales_of_sellers(
    *, merchant_id: UUID, seller_ids: Collection[UUID], since: datetime, until: datetime, zone: str
) -> list[SalesOfQuarter]:
    """Return the sales of these sellers from `since` until before `until`, by seller, currency and quarter.

    Quarters are those of the zone; the time must lie within one year of it.
    """
    words: dict[str, Any] = {
        "merchant": merchant_id,
        "sellers": list(seller_ids),
        "since": since,
        "until": until,
        "zone": zone,
    }
    with connection.cursor() as cursor:
        cursor.execute(_SALES, words)
        return [SalesOfQuarter(*row) for row in cursor.fetchall()]
