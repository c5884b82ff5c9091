"""Money that a buyer brings into a wallet."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fields import EncryptedTextField
from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import EventSubject
from payments.states import TOP_UP

__all__ = ["TopUp", "TopUpReturn"]


class TopUp(StatefulModel, EventSubject):
    """One top-up of a buyer's cash wallet; its charge carries it instead of lines.

    `available_at` is when its money may be spent, where the rail is slow; `available` says that it may.
    """

    machine = TOP_UP
    objects: ClassVar[models.Manager["TopUp"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    wallet = models.ForeignKey("wallet.Wallet", on_delete=models.PROTECT, related_name="+", db_index=False)
    buyer_account = models.CharField(max_length=64)
    amount = MoneyField(max_digits=20, decimal_places=4, default_currency=None, currency_choices=())
    amount_minor = models.BigIntegerField()
    status = StateField(TOP_UP)
    payment_method = models.CharField(max_length=16)
    # How it is paid, as on a checkout.
    token = EncryptedTextField()
    customer_reference = models.CharField(max_length=255, blank=True)
    save_method = models.BooleanField(default=False)
    card_attempt = models.CharField(max_length=8, blank=True, default="", db_default="")
    saved_method = models.ForeignKey(
        "payments.PaymentMethodToken", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    return_url = models.CharField(max_length=2000, blank=True)
    risk_decision = models.CharField(max_length=16, default="not_assessed")
    credited_minor = models.BigIntegerField(default=0)
    # What the provider refunded of it, and what its rail took back: of the money, whoever has it now.
    refunded_minor = models.BigIntegerField(default=0, db_default=0)
    reversed_minor = models.BigIntegerField(default=0, db_default=0)
    available = models.BooleanField(default=False)
    available_at = models.DateTimeField(null=True)
    failure = models.JSONField(null=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    expiry_started_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    # What a checkout has and a top-up does not: it is never held back, taken back by the store, or shared.
    capture = "automatic"
    cancel_requested_at = None
    multi_order_policy = "all_or_nothing"

    class Meta:
        verbose_name = "top-up"
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_top_up_amount_positive"),
            models.CheckConstraint(
                condition=Q(status="SUCCESS", credited_minor=F("amount_minor"))
                | ~Q(status="SUCCESS") & Q(credited_minor=0),
                name="payments_top_up_credited_when_paid",
            ),
            models.CheckConstraint(
                condition=Q(available=False) | Q(status="SUCCESS"), name="payments_top_up_available_when_paid"
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("credited_minor"))
                & Q(reversed_minor__gte=0, reversed_minor__lte=F("credited_minor")),
                name="payments_top_up_returned_within",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "-id"], name="payments_top_up_list"),
            models.Index(fields=["wallet", "-id"], name="payments_top_up_of_wallet"),
            models.Index(
                fields=["expires_at"],
                name="payments_top_up_expiry",
                condition=Q(
                    status__in=["NOT_STARTED", "EXECUTING", "REQUIRES_ACTION"], expiry_started_at__isnull=True
                ),
            ),
            models.Index(
                fields=["available_at"],
                name="payments_top_up_clearing",
                condition=Q(status="SUCCESS", available=False),
            ),
        ]

    @property
    def buyer_info(self) -> dict[str, Any]:
        """Nothing is told of a buyer with a top-up but the wallet's owner."""
        return {"buyer_account": self.buyer_account}

    @property
    def has_reusable_token(self) -> bool:
        """Whether the token pays any number of charges as it is."""
        return self.saved_method_id is not None

    @transition(TOP_UP, status, "EXECUTING")
    def to_executing(self) -> None:
        """A request to the provider is about to be sent, or the buyer has done their part."""

    @transition(TOP_UP, status, "REQUIRES_ACTION")
    def to_requires_action(self) -> None:
        """The buyer must do something: confirm with their bank, or finish a hosted page."""

    @transition(TOP_UP, status, "SUCCESS")
    def to_success(self, *, credited_minor: int, available_at: Any = None) -> None:
        """The money was captured and is in the wallet: to be spent, or pending until `available_at`."""
        self.credited_minor = credited_minor
        self.available, self.available_at = available_at is None, available_at
        self.failure = None

    @transition(TOP_UP, status, "FAILED")
    def to_failed(self, *, failure: dict[str, Any]) -> None:
        """No money moved and none will."""
        self.failure = failure

    @transition(TOP_UP, status, "CANCELED")
    def to_canceled(self) -> None:
        """It was taken back, and it can no longer charge."""

    @transition(TOP_UP, status, "EXPIRED")
    def to_expired(self) -> None:
        """The buyer did not pay in time, and it can no longer charge."""


class TopUpReturn(models.Model):
    """Money of a top-up that the provider refunded without us, or that its rail took back; append-only.

    `taken_minor` of `amount_minor` was still in the wallet, `missing_minor` was not; what was taken while the
    top-up was pending (`from_pending`) never becomes available.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="returns")
    charge = models.ForeignKey("payments.Charge", on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8)
    psp_reference = models.CharField(max_length=255)
    amount_minor = models.BigIntegerField()
    taken_minor = models.BigIntegerField()
    missing_minor = models.BigIntegerField()
    from_pending = models.BooleanField()
    reason = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["charge", "kind", "psp_reference"], name="payments_top_up_return_once"
            ),
            models.UniqueConstraint(
                fields=["charge"], condition=Q(kind="reversal"), name="payments_top_up_reversed_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["refund", "reversal"]), name="payments_top_up_return_kind"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, taken_minor__gte=0, missing_minor__gte=0)
                & Q(amount_minor=F("taken_minor") + F("missing_minor")),
                name="payments_top_up_return_whole",
            ),
        ]
