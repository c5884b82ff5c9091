"""The example of a consumer: what buyers paid, by merchant, day and currency, from events alone."""

from datetime import UTC
from typing import ClassVar

from django.db import connection

from core.money import parse_amount
from events.models import DailyRevenue
from events.types import EventData

__all__ = ["RevenueByDay"]

# One statement, so that it is right however many add to the same day.
_ADD = """
    INSERT INTO events_dailyrevenue AS total
        (merchant_id, day, currency, paid_minor, payments, refunded_minor, refunds)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (merchant_id, day, currency) DO UPDATE SET
        paid_minor = total.paid_minor + EXCLUDED.paid_minor,
        payments = total.payments + EXCLUDED.payments,
        refunded_minor = total.refunded_minor + EXCLUDED.refunded_minor,
        refunds = total.refunds + EXCLUDED.refunds
"""
_PAID, _REFUNDED = "payment.succeeded", "refund.succeeded"


class RevenueByDay:
    """Counts money on the day (UTC) on which it was paid or given back; reads no table of payments."""

    name: ClassVar[str] = "daily_revenue"
    types: ClassVar[frozenset[str]] = frozenset([_PAID, _REFUNDED])

    def apply(self, event: EventData) -> None:
        """Add one payment or refund. Raises KeyError, InvalidAmount, InvalidCurrency for nonsense."""
        it = event.data["object"]
        currency = str(it["currency"])
        is_paid = event.type == _PAID
        amount_minor = parse_amount(it["captured" if is_paid else "amount"], currency)
        paid, refunded = ((amount_minor, 1), (0, 0)) if is_paid else ((0, 0), (amount_minor, 1))
        with connection.cursor() as cursor:
            cursor.execute(
                _ADD,
                [event.merchant_id, event.occurred_at.astimezone(UTC).date(), currency, *paid, *refunded],
            )

    def forget(self) -> None:
        """Remove every row."""
        DailyRevenue.objects.all().delete()
