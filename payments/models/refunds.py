"""Money that goes back to buyers, and what each order's parties give of it."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import EventSubject
from payments.models.balances import BalancePart
from payments.models.charges import Charge, ChargeLine
from payments.models.checkouts import PaymentOrder
from payments.states import REFUND

__all__ = ["Refund", "RefundLine", "RefundPart"]


class Refund(StatefulModel, EventSubject):
    """One amount that goes back, to what the buyer paid with or to the buyer's wallet.

    `destination` is the instrument that was charged, the buyer's `wallet` of cash, or the `balance`: the very
    wallets that paid, as the parts say.

    A store refunds one order. Only what was refunded at the provider without us may be of several: then
    `order` is empty, and the lines say of which.
    """

    machine = REFUND
    objects: ClassVar[models.Manager["Refund"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, null=True, related_name="refunds")
    # What took the money; empty for what was paid from a balance.
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, null=True, related_name="refunds")
    destination = models.CharField(max_length=16)
    # The buyer's, where the money goes there.
    wallet_id = models.UUIDField(null=True)
    amount = MoneyField(max_digits=20, decimal_places=4, default_currency=None, currency_choices=())
    amount_minor = models.BigIntegerField()
    returns_commission = models.BooleanField()
    reason = models.CharField(max_length=255, blank=True)
    metadata = models.JSONField(default=dict)
    origin = models.CharField(max_length=8)
    psp_reference = models.CharField(max_length=255, null=True)
    failure = models.JSONField(null=True)
    status = StateField(REFUND)
    succeeded_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "charge", "psp_reference"], name="payments_refund_reference_once"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_refund_amount_positive"),
            models.CheckConstraint(
                condition=Q(destination="instrument", wallet_id=None, charge__isnull=False)
                | Q(destination="wallet", wallet_id__isnull=False)
                | Q(destination="balance", wallet_id=None, charge=None),
                name="payments_refund_has_somewhere_to_go",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["api", "console", "psp"]), name="payments_refund_known_origin"
            ),
            models.CheckConstraint(
                condition=~Q(status="SUCCESS") | Q(succeeded_at__isnull=False),
                name="payments_refund_success_has_its_time",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "-created_at", "-id"], name="payments_refund_list"),
            models.Index(
                fields=["merchant_id", "status", "-created_at", "-id"], name="payments_refund_by_status"
            ),
            models.Index(fields=["id"], name="payments_refund_in_review", condition=Q(status="IN_REVIEW")),
            # Lines of settlement files look for it.
            models.Index(fields=["psp_reference"], name="payments_refund_by_reference"),
        ]

    @transition(REFUND, status, "IN_REVIEW")
    def to_in_review(self) -> None:
        """A second person must say yes before anything is sent."""

    @transition(REFUND, status, "REQUESTED")
    def to_requested(self) -> None:
        """A review let it through, or it provably was not sent: it will be sent (again)."""

    @transition(REFUND, status, "EXECUTING")
    def to_executing(self) -> None:
        """The request to the provider is about to be sent."""

    @transition(REFUND, status, "PENDING")
    def to_pending(self, *, psp_reference: str | None = None) -> None:
        """The provider has it and will tell."""
        self.psp_reference = psp_reference or self.psp_reference

    @transition(REFUND, status, "UNKNOWN")
    def to_unknown(self) -> None:
        """It was sent and no trustworthy answer came."""

    @transition(REFUND, status, "SUCCESS")
    def to_success(self, *, succeeded_at: datetime, psp_reference: str | None = None) -> None:
        """The money is on its way back to the buyer."""
        self.succeeded_at = succeeded_at
        self.psp_reference = psp_reference or self.psp_reference

    @transition(REFUND, status, "FAILED")
    def to_failed(self, *, failure: dict[str, Any], psp_reference: str | None = None) -> None:
        """It was refused, or came back after it had succeeded: the money is where it was before."""
        self.failure = failure
        self.psp_reference = psp_reference or self.psp_reference

    @transition(REFUND, status, "CANCELED")
    def to_canceled(self) -> None:
        """The second person said no: nothing was sent."""


class RefundLine(models.Model):
    """One order's part of a refund, and who gives what of it: seller, marketplace, tax."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    refund = models.ForeignKey(
        Refund,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,  # payments_refund_line_once begins with it.
    )
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="refund_lines")
    charge_line = models.ForeignKey(
        ChargeLine, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    amount_minor = models.BigIntegerField()
    seller_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["refund", "order"], name="payments_refund_line_once"),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, seller_minor__gte=0, commission_minor__gte=0)
                & Q(tax_minor__gte=0)
                & Q(amount_minor=F("seller_minor") + F("commission_minor") + F("tax_minor")),
                name="payments_refund_line_is_its_parts",
            ),
        ]


class RefundPart(models.Model):
    """What of a refund goes back into one of the wallets that paid; of points, one row for each grant.

    `amount_minor` in the order's currency, `units_minor` in that of the wallet (they differ for points).
    Append-only; the rows of a refund that was canceled gave nothing.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    refund = models.ForeignKey(
        Refund,
        on_delete=models.PROTECT,
        related_name="parts",
        db_index=False,  # payments_refund_part_once begins with it.
    )
    balance_part = models.ForeignKey(BalancePart, on_delete=models.PROTECT, related_name="refund_parts")
    grant_id = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    units_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["refund", "balance_part", "grant_id"],
                nulls_distinct=False,
                name="payments_refund_part_once",
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, units_minor__gt=0), name="payments_refund_part_of_something"
            ),
            models.CheckConstraint(
                condition=Q(grant_id__isnull=False) | Q(units_minor=F("amount_minor")),
                name="payments_refund_part_money_is_itself",
            ),
        ]
