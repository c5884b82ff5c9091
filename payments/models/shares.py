"""What became of an order's money, when the seller's part of it is released, and each release."""

from django.db import models
from django.db.models import F, Q

from core.ids import uuid7
from core.models import EventSubject, WorkRow
from payments.models.checkouts import PaymentOrder

__all__ = ["OrderRelease", "OrderShare"]


class OrderShare(WorkRow):
    """What an order's captured money became, part by part; due when the seller's part may be released.

    `release_on` and `proof_needed` are the merchant's policy at the moment of the capture, and `matures_at`
    the end of the seller's settlement delay: neither moves afterwards. `due_at` follows from them and from
    what was fulfilled and proven; it is null while one of these is missing, and when nothing is left to
    release.
    """

    order = models.OneToOneField(
        PaymentOrder, on_delete=models.PROTECT, primary_key=True, related_name="share"
    )
    merchant_id = models.UUIDField()
    seller_net_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()
    released_minor = models.BigIntegerField(default=0)
    reserved_minor = models.BigIntegerField(default=0)
    pending_used_minor = models.BigIntegerField(default=0)
    release_on = models.CharField(max_length=12)
    proof_needed = models.CharField(max_length=8)
    captured_at = models.DateTimeField()
    matures_at = models.DateTimeField()
    # When we learned that the provider's report, and then the bank's statement, has the money.
    reported_at = models.DateTimeField(null=True)
    banked_at = models.DateTimeField(null=True)
    # When the store says it was, and who said so and when.
    fulfilled_at = models.DateTimeField(null=True)
    fulfilled_by = models.CharField(max_length=80, blank=True)
    fulfillment_recorded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(seller_net_minor__gte=0, commission_minor__gte=0, tax_minor__gte=0),
                name="payments_share_parts_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    released_minor__gte=0,
                    pending_used_minor__gte=0,
                    seller_net_minor__gte=F("released_minor") + F("pending_used_minor"),
                ),
                name="payments_share_pending_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(reserved_minor__gte=0, reserved_minor__lte=F("released_minor")),
                name="payments_share_reserve_within_released",
            ),
            models.CheckConstraint(
                condition=Q(
                    release_on__in=["delay", "fulfillment", "first"],
                    proof_needed__in=["captured", "reported", "banked"],
                ),
                name="payments_share_known_policy",
            ),
            models.CheckConstraint(
                condition=Q(fulfilled_at=None, fulfillment_recorded_at=None)
                | Q(fulfilled_at__isnull=False, fulfillment_recorded_at__isnull=False),
                name="payments_share_fulfillment_whole",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="payments_share_due", condition=Q(due_at__isnull=False)),
        ]


class OrderRelease(EventSubject):
    """One release of an order's money to its seller, with why it was allowed; append-only.

    An order is released once, whole: what is pending of it only ever becomes less. `reserve_minor` of
    `amount_minor` are kept until `reserve_until`, at the rate of the seller's terms then. The entry in the
    books and the tranche in the wallet are called by `reference`, which is the order's pay_… id.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    order = models.OneToOneField(PaymentOrder, on_delete=models.PROTECT, related_name="release")
    reference = models.CharField(max_length=64)
    amount_minor = models.BigIntegerField()
    reserve_minor = models.BigIntegerField(default=0)
    reserve_bps = models.IntegerField(default=0)
    reserve_until = models.DateTimeField(null=True)
    basis = models.CharField(max_length=12)
    proof = models.CharField(max_length=8)
    effective_date = models.DateField()
    released_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "reference"], name="payments_release_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_release_positive"),
            models.CheckConstraint(
                condition=Q(reserve_minor=0, reserve_until=None)
                | Q(
                    reserve_minor__gt=0,
                    reserve_minor__lte=F("amount_minor"),
                    reserve_until__gt=F("released_at"),
                ),
                name="payments_release_reserve_within",
            ),
            models.CheckConstraint(
                condition=Q(basis__in=["delay", "fulfillment"], proof__in=["captured", "reported", "banked"]),
                name="payments_release_known_reason",
            ),
        ]
