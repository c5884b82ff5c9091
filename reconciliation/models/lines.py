"""The lines of settlement files."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

__all__ = ["LINE_BITS", "SettlementLine"]

# A line's id is its file's number and its own: number << LINE_BITS | line_no.
LINE_BITS = 24


class SettlementLine(models.Model):
    """One line of a settlement file, written by COPY while its file is STAGING, never changed afterwards.

    It counts when its file does. Amounts are minor units of `currency`, as the merchant sees them: positive
    comes in, `fee_minor` is positive when the merchant pays it, and gross - fee = net (I35). `line_no` is the
    line of the file where the record begins; `raw` is kept where a person must read it.
    """

    objects: ClassVar[models.Manager["SettlementLine"]] = models.Manager()

    id = models.BigIntegerField(primary_key=True)
    merchant_id = models.UUIDField()
    file_id = models.UUIDField()
    line_no = models.IntegerField()
    batch = models.CharField(max_length=80)
    kind = models.CharField(max_length=24)
    raw_kind = models.CharField(max_length=80)
    reference = models.CharField(max_length=255)
    related = models.CharField(max_length=255)
    merchant_reference = models.CharField(max_length=255)
    currency = models.CharField(max_length=3)
    gross_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    net_minor = models.BigIntegerField()
    original_currency = models.CharField(max_length=3)
    original_minor = models.BigIntegerField(null=True)
    rate = models.DecimalField(max_digits=24, decimal_places=12, null=True)
    occurred_at = models.DateTimeField(null=True)
    local_time = models.CharField(max_length=40)
    business_date = models.DateField()
    quarantine = models.CharField(max_length=24)
    raw = models.TextField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(net_minor=F("gross_minor") - F("fee_minor")), name="reconciliation_line_adds_up"
            ),
        ]
