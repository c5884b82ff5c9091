"""What stops money from leaving."""

from django.db import models
from django.db.models import F, Q

from core.ids import uuid7

__all__ = ["PayoutBlock"]


class PayoutBlock(models.Model):
    """Nothing leaves for a seller, or for nobody of the merchant, while this stands.

    People of finance and reconciliation set it. One person is enough to stop money; who lets it go again is
    another one.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    # Empty: all sellers; no currency: all currencies.
    seller = models.ForeignKey(
        "merchants.Seller", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3, blank=True)
    # Who set it: `finance`, or what found it, with what it is about ("reconciliation", "dsc_…").
    source = models.CharField(max_length=32)
    source_ref = models.CharField(max_length=120, blank=True)
    reason = models.CharField(max_length=500)
    placed_by = models.CharField(max_length=80)
    placed_at = models.DateTimeField()
    lifted_by = models.CharField(max_length=80, blank=True)
    lifted_at = models.DateTimeField(null=True)
    lifted_because = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(lifted_at=None, lifted_by="")
                | Q(lifted_at__isnull=False) & ~Q(lifted_by="") & ~Q(lifted_by=F("placed_by")),
                name="payouts_block_second_person",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "source", "source_ref"],
                condition=Q(lifted_at=None) & ~Q(source_ref=""),
                name="payouts_block_once_per_reason",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant_id", "seller"], name="payouts_block_standing", condition=Q(lifted_at=None)
            )
        ]
