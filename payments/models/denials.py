"""Captured charges whose provider says that it never had them, and what orders gave back for it."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from core.ids import uuid7
from payments.models.charges import Charge
from payments.models.checkouts import PaymentOrder

__all__ = ["ChargeDenial", "DenialLine"]


class ChargeDenial(models.Model):
    """A captured charge that its provider denies: two people said so, by an adjustment of reconciliation.

    It ends when the provider turns out to have it after all; a charge is denied once at a time.
    """

    objects: ClassVar[models.Manager["ChargeDenial"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="denials")
    adjustment_id = models.UUIDField()
    amount_minor = models.BigIntegerField()
    recorded_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "adjustment_id"], name="payments_denial_of_adjustment_once"
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "charge"],
                condition=Q(ended_at__isnull=True),
                name="payments_denied_once",
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_denial_positive"),
        ]


class DenialLine(models.Model):
    """What one order gave back because its charge is denied, part by part; append-only."""

    objects: ClassVar[models.Manager["DenialLine"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    denial = models.ForeignKey(ChargeDenial, on_delete=models.PROTECT, related_name="lines")
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="denial_lines")
    amount_minor = models.BigIntegerField()
    seller_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "denial", "order"], name="payments_denial_line_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor=F("seller_minor") + F("commission_minor") + F("tax_minor"),
                    amount_minor__gt=0,
                ),
                name="payments_denial_line_parts",
            ),
        ]
