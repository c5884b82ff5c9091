"""When a merchant's payouts are made."""

from django.db import models

from core.ids import uuid7

__all__ = ["PayoutSchedule"]


class PayoutSchedule(models.Model):
    """A merchant's working days: its zone, the cut-off of each day, and the calendar of its bank.

    Which of these days a seller is paid on is the seller's own (`payout_schedule` of merchants).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    timezone = models.CharField(max_length=64)
    cut_off = models.TimeField()
    calendar = models.CharField(max_length=16)
    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant_id"], name="payouts_schedule_once_per_merchant")
        ]
