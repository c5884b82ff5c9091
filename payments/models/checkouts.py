"""A checkout as the store sent it, with one order per seller."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fields import EncryptedJSONField, EncryptedTextField
from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import EventSubject
from payments.states import PAYMENT_ORDER

__all__ = ["PaymentEvent", "PaymentOrder"]


class PaymentEvent(EventSubject):
    """One checkout as the store sent it."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    checkout_id = models.CharField(max_length=64)
    buyer_account = models.CharField(max_length=64, blank=True)
    buyer_info = EncryptedJSONField()
    payment_method = models.CharField(max_length=16)
    token = EncryptedTextField()
    # Of a customer that was made for this checkout alone; a buyer's own is in PspCustomer.
    customer_reference = models.CharField(max_length=255, blank=True)
    # The buyer wants the token kept; or pays with one that was kept before, whose reference is `token` then.
    save_method = models.BooleanField(default=False)
    saved_method = models.ForeignKey(
        "payments.PaymentMethodToken",
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,  # Nobody looks for a method's checkouts, and every checkout would pay for it.
    )
    # Whether its card was counted by now, where several steps or charges are one attempt: counted, refused.
    card_attempt = models.CharField(max_length=8, blank=True, default="", db_default="")
    capture = models.CharField(max_length=16)
    multi_order_policy = models.CharField(max_length=16)
    return_url = models.CharField(max_length=2000, blank=True)
    metadata = models.JSONField(default=dict)
    risk_decision = models.CharField(max_length=16, default="not_assessed")
    is_payment_done = models.BooleanField(default=False)
    compensated_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    # Since when it is being closed because its time is over.
    expiry_started_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "checkout"
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "checkout_id"], name="payments_checkout_once"),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "-id"], name="payments_checkout_list"),
            models.Index(
                fields=["expires_at"],
                name="payments_checkout_expiry",
                condition=Q(is_payment_done=False, expiry_started_at__isnull=True),
            ),
        ]

    @property
    def has_reusable_token(self) -> bool:
        """Whether the token pays any number of charges as it is."""
        return self.saved_method_id is not None


class PaymentOrder(StatefulModel, EventSubject):
    """One seller's part of a checkout, with the running totals of what happened to its money."""

    machine = PAYMENT_ORDER
    objects: ClassVar[models.Manager["PaymentOrder"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    checkout = models.ForeignKey(
        PaymentEvent,
        on_delete=models.PROTECT,
        related_name="orders",
        db_index=False,  # payments_order_of_checkout begins with it.
    )
    position = models.SmallIntegerField()
    payment_order_id = models.CharField(max_length=64)
    seller = models.ForeignKey(
        "merchants.Seller",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # payments_order_of_seller begins with it.
    )
    seller_account = models.CharField(max_length=64)
    buyer_account = models.CharField(max_length=64, blank=True)
    amount = MoneyField(max_digits=20, decimal_places=4, default_currency=None, currency_choices=())
    amount_minor = models.BigIntegerField()
    status = StateField(PAYMENT_ORDER)
    authorized_minor = models.BigIntegerField(default=0)
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    refund_reserved_minor = models.BigIntegerField(default=0)
    dispute_reserved_minor = models.BigIntegerField(default=0)
    reversed_minor = models.BigIntegerField(default=0)
    excess_returned_minor = models.BigIntegerField(default=0)
    failure = models.JSONField(null=True)
    wallet_updated = models.BooleanField(default=False)
    ledger_updated = models.BooleanField(default=False)
    cancel_requested_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name = "order"
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "payment_order_id"], name="payments_order_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_order_amount_positive"),
            models.CheckConstraint(
                condition=Q(
                    captured_minor__gte=0,
                    refunded_minor__gte=0,
                    refund_reserved_minor__gte=F("refunded_minor"),
                    dispute_reserved_minor__gte=0,
                    reversed_minor__gte=0,
                    excess_returned_minor__gte=0,
                ),
                name="payments_order_totals_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(
                    authorized_minor__gte=F("captured_minor"), authorized_minor__lte=F("amount_minor")
                ),
                name="payments_order_captured_within_authorized",
            ),
            models.CheckConstraint(
                condition=Q(
                    captured_minor__gte=F("refund_reserved_minor")
                    + F("dispute_reserved_minor")
                    + F("reversed_minor")
                    - F("excess_returned_minor")
                ),
                name="payments_order_never_returns_more_than_captured",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "-created_at", "-id"], name="payments_order_list"),
            models.Index(fields=["seller", "-created_at", "-id"], name="payments_order_of_seller"),
            models.Index(
                fields=["merchant_id", "status", "-created_at", "-id"], name="payments_order_by_status"
            ),
            models.Index(fields=["checkout", "position"], name="payments_order_of_checkout"),
        ]

    @transition(PAYMENT_ORDER, status, "IN_REVIEW")
    def to_in_review(self) -> None:
        """Somebody, or something slow, must look at it before any money moves."""

    @transition(PAYMENT_ORDER, status, "NOT_STARTED")
    def to_not_started(self) -> None:
        """A review let it through, or a new attempt begins."""
        self.failure, self.authorized_minor = None, 0

    @transition(PAYMENT_ORDER, status, "EXECUTING")
    def to_executing(self) -> None:
        """A request to the provider is about to be sent, or the buyer has done their part."""

    @transition(PAYMENT_ORDER, status, "REQUIRES_ACTION")
    def to_requires_action(self) -> None:
        """The buyer must do something: confirm with their bank, or finish a hosted page."""

    @transition(PAYMENT_ORDER, status, "AUTHORIZED")
    def to_authorized(self, *, authorized_minor: int) -> None:
        """The money is reserved on the buyer's card: the store takes it, or gives it back."""
        self.authorized_minor, self.failure = authorized_minor, None

    @transition(PAYMENT_ORDER, status, "SUCCESS")
    def to_success(self, *, captured_minor: int) -> None:
        """The money was captured and is in the books."""
        self.captured_minor += captured_minor
        self.authorized_minor = max(self.authorized_minor, self.captured_minor)
        self.failure = None
        self.wallet_updated = self.ledger_updated = True

    @transition(PAYMENT_ORDER, status, "FAILED")
    def to_failed(self, *, failure: dict[str, Any]) -> None:
        """No money moved and none will under this attempt."""
        self.failure = failure

    @transition(PAYMENT_ORDER, status, "CANCELED")
    def to_canceled(self) -> None:
        """The store took it back, and it can no longer charge."""
        self.failure = None

    @transition(PAYMENT_ORDER, status, "EXPIRED")
    def to_expired(self) -> None:
        """The buyer did not pay, or the store did not capture, in time; and it can no longer charge."""
        self.failure = None
