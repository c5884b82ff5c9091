"""Payment methods that buyers had kept."""

from django.db import models
from django.db.models import Q

from core.fields import EncryptedTextField
from core.ids import uuid7
from payments.models.charges import Charge

__all__ = ["PaymentMethodToken", "PspCustomer"]


class PspCustomer(models.Model):
    """A buyer as one channel's provider knows them: one for all payment methods that are kept there."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    buyer = models.ForeignKey("merchants.Buyer", on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    reference = EncryptedTextField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "buyer", "channel"], name="payments_customer_once"
            ),
        ]


class PaymentMethodToken(models.Model):
    """A payment method that a buyer had kept. What it is at the provider opens in this row only.

    `charge` is the one whose payment saved it; the order to detach it is an operation of that charge.
    A deleted one is never used again and never comes back: the same card is saved anew.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    buyer = models.ForeignKey("merchants.Buyer", on_delete=models.PROTECT, related_name="+")
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    customer = models.ForeignKey(PspCustomer, on_delete=models.PROTECT, related_name="+")
    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, related_name="+")
    psp_token = EncryptedTextField()
    psp_token_digest = models.BinaryField(max_length=32)
    brand = models.CharField(max_length=24, blank=True)
    last4 = models.CharField(max_length=4, blank=True)
    exp_month = models.SmallIntegerField(null=True)
    exp_year = models.SmallIntegerField(null=True)
    wallet = models.CharField(max_length=24, blank=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField()
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "psp_token_digest"], name="payments_method_once"
            ),
            models.CheckConstraint(
                condition=Q(exp_month__isnull=True, exp_year__isnull=True)
                | Q(exp_month__gte=1, exp_month__lte=12, exp_year__gte=1970, exp_year__lte=9999),
                name="payments_method_expiry",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant_id", "buyer", "-id"],
                name="payments_method_list",
                condition=Q(deleted_at__isnull=True),
            ),
        ]
