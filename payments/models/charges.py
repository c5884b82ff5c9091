"""Movements of money at a provider, and the orders that each is for."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from payments.models.checkouts import PaymentEvent, PaymentOrder
from payments.models.topups import TopUp
from payments.states import CHARGE

__all__ = ["Charge", "ChargeLine"]


class Charge(StatefulModel):
    """One movement of money at one provider; covers one or more orders through its lines, or one top-up."""

    machine = CHARGE
    objects: ClassVar[models.Manager["Charge"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    checkout = models.ForeignKey(PaymentEvent, on_delete=models.PROTECT, null=True, related_name="charges")
    top_up = models.ForeignKey(
        TopUp,
        on_delete=models.PROTECT,
        null=True,
        related_name="charges",
        db_index=False,  # payments_top_up_one_charge has those that are one's.
    )
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
    # Until when authorised money can be taken.
    capture_before = models.DateTimeField(null=True)
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
            models.CheckConstraint(
                condition=Q(checkout__isnull=False, top_up__isnull=True)
                | Q(checkout__isnull=True, top_up__isnull=False),
                name="payments_charge_of_checkout_or_top_up",
            ),
            models.UniqueConstraint(
                fields=["top_up"],
                condition=Q(top_up__isnull=False),
                name="payments_top_up_one_charge",
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
            # Whoever reserves money on a card knows until when: it is given back in time.
            models.CheckConstraint(
                condition=~Q(status="AUTHORIZED") | Q(authorized_minor__gt=0, capture_before__isnull=False),
                name="payments_charge_authorized_for_a_time",
            ),
        ]
        indexes = [
            models.Index(
                fields=["capture_before"],
                name="payments_charge_authorized",
                condition=Q(status="AUTHORIZED"),
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
        self,
        *,
        psp_reference: str | None = None,
        session_reference: str | None = None,
        failure: dict[str, Any] | None = None,
    ) -> None:
        """The provider knows the payment, not yet to move money: there is something to ask about.

        With a `failure` it never will: that is why it is being closed there.
        """
        self.failure = failure or self.failure
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
    def to_authorized(
        self, *, authorized_minor: int, capture_before: datetime, psp_reference: str | None = None
    ) -> None:
        """The money is reserved on the buyer's card, for a time."""
        self.psp_reference = psp_reference or self.psp_reference
        self.authorized_minor, self.capture_before = authorized_minor, capture_before
        self.redirect_url, self.failure = "", None

    @transition(CHARGE, status, "CAPTURED")
    def to_captured(self, *, captured_minor: int, psp_reference: str | None = None) -> None:
        """The money moved; what was authorised beyond it is given back."""
        self.psp_reference = psp_reference or self.psp_reference
        self.captured_minor = captured_minor
        self.authorized_minor = max(self.authorized_minor, captured_minor)
        self.voided_minor = self.authorized_minor - captured_minor
        self.redirect_url, self.failure = "", None

    @transition(CHARGE, status, "DECLINED")
    def to_declined(self, *, failure: dict[str, Any]) -> None:
        """The provider or the bank said no."""
        self.redirect_url, self.failure = "", failure
        self.voided_minor = self.authorized_minor

    @transition(CHARGE, status, "CANCELED")
    def to_canceled(self, *, failure: dict[str, Any] | None = None) -> None:
        """It was closed at the provider, or nothing was ever sent: it can no longer charge."""
        self.redirect_url, self.failure = "", failure
        self.voided_minor = self.authorized_minor

    @transition(CHARGE, status, "EXPIRED")
    def to_expired(self) -> None:
        """Its time was over and it was closed at the provider: it can no longer charge."""
        self.redirect_url = ""
        self.voided_minor = self.authorized_minor

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
