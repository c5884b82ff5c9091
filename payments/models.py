"""Pay-in: one checkout, one order per seller, and the movements of money that cover them."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fields import EncryptedJSONField, EncryptedTextField
from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import EventSubject, WorkRow
from payments.states import CHARGE, PAYMENT_ORDER, PSP_OPERATION

__all__ = [
    "Charge",
    "ChargeLine",
    "OrderShare",
    "PaymentEvent",
    "PaymentMethodToken",
    "PaymentOrder",
    "PspCustomer",
    "PspOperation",
]


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
    checkout = models.ForeignKey(PaymentEvent, on_delete=models.PROTECT, related_name="orders")
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
        self.failure = None

    @transition(PAYMENT_ORDER, status, "EXECUTING")
    def to_executing(self) -> None:
        """A request to the provider is about to be sent, or the buyer has done their part."""

    @transition(PAYMENT_ORDER, status, "REQUIRES_ACTION")
    def to_requires_action(self) -> None:
        """The buyer must do something: confirm with their bank, or finish a hosted page."""

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

    @transition(PAYMENT_ORDER, status, "EXPIRED")
    def to_expired(self) -> None:
        """The buyer did not pay in time, and it can no longer charge."""


class OrderShare(models.Model):
    """What an order's captured money became, part by part."""

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
        ]


class Charge(StatefulModel):
    """One movement of money at one provider; covers one or more orders through its lines."""

    machine = CHARGE
    objects: ClassVar[models.Manager["Charge"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    checkout = models.ForeignKey(PaymentEvent, on_delete=models.PROTECT, related_name="charges")
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    payment_method = models.CharField(max_length=16, default="card")
    psp_reference = models.CharField(max_length=255, null=True)
    # Where the buyer pays on the provider's own page: the page's session, known before the payment itself.
    session_reference = models.CharField(max_length=255, null=True)
    amount = MoneyField(max_digits=20, decimal_places=4, default_currency=None, currency_choices=())
    amount_minor = models.BigIntegerField()
    authorized_minor = models.BigIntegerField(default=0)
    captured_minor = models.BigIntegerField(default=0)
    voided_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    status = StateField(CHARGE)
    redirect_url = models.CharField(max_length=2000, blank=True)
    failure = models.JSONField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "psp_reference"], name="payments_charge_reference_once"
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "session_reference"], name="payments_charge_session_once"
            ),
            # Nobody is sent to a payment that we could not ask about afterwards.
            models.CheckConstraint(
                condition=Q(redirect_url="")
                | Q(payment_method="hosted_page", session_reference__isnull=False)
                | (~Q(payment_method="hosted_page") & Q(psp_reference__isnull=False)),
                name="payments_charge_reference_before_redirect",
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gt=0,
                    captured_minor__gte=0,
                    voided_minor__gte=0,
                    authorized_minor__lte=F("amount_minor"),
                    authorized_minor__gte=F("captured_minor") + F("voided_minor"),
                ),
                name="payments_charge_captured_within_authorized",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0, refunded_minor__lte=F("captured_minor")),
                name="payments_charge_never_returns_more_than_captured",
            ),
        ]

    @property
    def is_hosted(self) -> bool:
        """Whether the buyer pays on the provider's own page."""
        return self.payment_method == "hosted_page"

    @property
    def provider_reference(self) -> str:
        """What the provider is asked about: the page where there is one, else the payment; may be empty."""
        return (self.session_reference if self.is_hosted else self.psp_reference) or ""

    @transition(CHARGE, status, "REGISTERED")
    def to_registered(
        self, *, psp_reference: str | None = None, session_reference: str | None = None
    ) -> None:
        """The provider knows the payment, not yet to move money: there is something to ask about."""
        self.psp_reference = psp_reference or self.psp_reference
        self.session_reference = session_reference or self.session_reference

    @transition(CHARGE, status, "SUBMITTED")
    def to_submitted(self) -> None:
        """The order to move money is about to be sent."""

    @transition(CHARGE, status, "REQUIRES_ACTION")
    def to_requires_action(self, *, redirect_url: str) -> None:
        """The buyer's bank wants to see the buyer, or the provider's page is open."""
        self.redirect_url = redirect_url

    @transition(CHARGE, status, "PENDING")
    def to_pending(self, *, psp_reference: str | None = None) -> None:
        """The provider has it and will tell."""
        self.psp_reference, self.redirect_url = psp_reference or self.psp_reference, ""

    @transition(CHARGE, status, "UNKNOWN")
    def to_unknown(self) -> None:
        """It was sent and no trustworthy answer came."""

    @transition(CHARGE, status, "AUTHORIZED")
    def to_authorized(self, *, authorized_minor: int) -> None:
        """The money is reserved on the buyer's card."""
        self.authorized_minor = authorized_minor

    @transition(CHARGE, status, "CAPTURED")
    def to_captured(self, *, captured_minor: int, psp_reference: str | None = None) -> None:
        """The money moved."""
        self.psp_reference = psp_reference or self.psp_reference
        self.captured_minor = captured_minor
        self.authorized_minor = max(self.authorized_minor, captured_minor)
        self.redirect_url, self.failure = "", None

    @transition(CHARGE, status, "DECLINED")
    def to_declined(self, *, failure: dict[str, Any]) -> None:
        """The provider or the bank said no."""
        self.redirect_url, self.failure = "", failure

    @transition(CHARGE, status, "CANCELED")
    def to_canceled(self, *, failure: dict[str, Any] | None = None) -> None:
        """It was closed at the provider, or nothing was ever sent: it can no longer charge."""
        self.redirect_url, self.failure = "", failure

    @transition(CHARGE, status, "EXPIRED")
    def to_expired(self) -> None:
        """Its time was over and it was closed at the provider: it can no longer charge."""
        self.redirect_url = ""

    @transition(CHARGE, status, "CONFLICTED")
    def to_conflicted(self) -> None:
        """The provider's facts differ from ours; nothing is posted until two people decide."""
        self.redirect_url = ""


class ChargeLine(models.Model):
    """How much of a charge is for which order. One live line per order: the database allows no second."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="lines")
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="lines")
    amount_minor = models.BigIntegerField()
    live = models.BooleanField(default=True)
    superseded = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "order"],
                condition=Q(live=True),
                name="payments_one_live_charge_per_order",
            ),
            models.UniqueConstraint(fields=["merchant_id", "charge", "order"], name="payments_line_once"),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_line_amount_positive"),
        ]


class PspOperation(StatefulModel, WorkRow):
    """One request to a provider that has an effect, with the idempotency key under which it is ever sent."""

    machine = PSP_OPERATION

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="operations")
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    nonce = models.CharField(max_length=64, unique=True)
    # What the operation made at the provider, where that has a name of its own: a refund.
    psp_reference = models.CharField(max_length=255, null=True)
    status = StateField(PSP_OPERATION)
    asked = models.IntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    first_sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "charge", "kind"],
                condition=~Q(status__in=["DECLINED", "CANCELED"]),
                name="payments_operation_one_of_a_kind",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "kind", "psp_reference"],
                name="payments_operation_reference_once",
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="payments_operation_due", condition=Q(due_at__isnull=False)),
            models.Index(
                fields=["channel", "due_at"],
                name="payments_operation_queue",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(fields=["charge", "id"], name="payments_operation_of_charge"),
            models.Index(
                fields=["channel"],
                name="payments_operation_open",
                condition=Q(status__in=["UNKNOWN", "PENDING"]),
            ),
        ]

    def note_answer(self) -> None:
        """Count a look that was brought to its end; our own failures count only in a row."""
        self.asked += 1
        self.attempts = 0

    @transition(PSP_OPERATION, status, "SENT")
    def to_sent(self, *, first_sent_at: datetime, due_at: datetime, leased_until: datetime | None) -> None:
        """About to be sent; if no outcome is recorded by `due_at`, somebody must ask."""
        self.first_sent_at = self.first_sent_at or first_sent_at
        self.due_at, self.leased_until = due_at, leased_until

    @transition(PSP_OPERATION, status, "SUCCEEDED")
    def to_succeeded(self, *, psp_reference: str | None = None) -> None:
        """The provider did it."""
        self.psp_reference = psp_reference or self.psp_reference
        self.due_at, self.leased_until, self.error = None, None, ""

    @transition(PSP_OPERATION, status, "DECLINED")
    def to_declined(self, *, error: str) -> None:
        """The provider refused, for good."""
        self.due_at, self.leased_until, self.error = None, None, error

    @transition(PSP_OPERATION, status, "NOT_SENT")
    def to_not_sent(self, *, error: str, due_at: datetime) -> None:
        """It provably never arrived: sending it again is safe."""
        self.note_answer()
        self.due_at, self.leased_until, self.error = due_at, None, error

    @transition(PSP_OPERATION, status, "PENDING")
    def to_pending(self, *, due_at: datetime) -> None:
        """The provider will tell; if it does not, it is asked at `due_at`."""
        self.note_answer()
        self.due_at, self.leased_until = due_at, None

    @transition(PSP_OPERATION, status, "UNKNOWN")
    def to_unknown(self, *, error: str, due_at: datetime) -> None:
        """No trustworthy answer: it is asked about, never guessed."""
        self.asked += 1
        self.due_at, self.leased_until, self.error = due_at, None, error

    @transition(PSP_OPERATION, status, "CANCELED")
    def to_canceled(self, *, error: str) -> None:
        """It will never be sent, or its object was closed at the provider."""
        self.due_at, self.leased_until, self.error = None, None, error

    @transition(PSP_OPERATION, status, "CONFLICTED")
    def to_conflicted(self, *, error: str) -> None:
        """The answer contradicts what we asked for; people decide."""
        self.due_at, self.leased_until, self.error = None, None, error


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
