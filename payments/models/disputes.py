"""Disputes: a buyer's bank asks about a payment or takes it back, and somebody decides."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fields import EncryptedTextField
from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import EventSubject
from payments.models.charges import Charge, ChargeLine
from payments.models.checkouts import PaymentOrder
from payments.states import DISPUTE

__all__ = [
    "ChargeReversal",
    "Dispute",
    "DisputeEvidence",
    "DisputeLine",
    "DisputeMovement",
    "ReversalLine",
]


class Dispute(StatefulModel, EventSubject):
    """One dispute of one charge, as the provider tells of it; amounts in minor units of its currency.

    `seen_rank` orders what the provider told: what ranks lower is old news. `verdict` is the last one that
    is in the books, `round` counts every change inside (a verdict, another division), `borne_by` says who
    bears the last loss.
    """

    machine = DISPUTE
    objects: ClassVar[models.Manager["Dispute"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="disputes")
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    psp_reference = models.CharField(max_length=255)
    amount = MoneyField(max_digits=20, decimal_places=4, default_currency=None, currency_choices=())
    amount_minor = models.BigIntegerField()
    status = StateField(DISPUTE)
    reason = models.CharField(max_length=64, blank=True)
    network_reason_code = models.CharField(max_length=32, blank=True)
    evidence_due_at = models.DateTimeField(null=True)
    evidence_sent_at = models.DateTimeField(null=True)
    submissions = models.IntegerField(default=0)
    seen_rank = models.IntegerField(default=-1)
    verdict = models.CharField(max_length=8, blank=True)
    round = models.IntegerField(default=0)
    is_held = models.BooleanField(default=False)
    borne_by = models.CharField(max_length=8, blank=True)
    # What is out at this moment, and every fee that the provider kept.
    taken_minor = models.BigIntegerField(default=0)
    fee_minor = models.BigIntegerField(default=0)
    asked_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "psp_reference"], name="payments_dispute_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, round__gte=0, verdict__in=["", "won", "lost"])
                & Q(borne_by__in=["", "seller", "platform"]),
                name="payments_dispute_sane",
            ),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "-id"], name="payments_dispute_list"),
            models.Index(
                fields=["evidence_due_at"],
                name="payments_dispute_due",
                condition=Q(status__in=["INQUIRY", "OPEN"]),
            ),
            models.Index(
                fields=["asked_at"],
                name="payments_dispute_asked",
                condition=Q(status__in=["INQUIRY", "OPEN", "EVIDENCE_SENT", "ACCEPTED"]),
            ),
        ]

    @property
    def currency(self) -> str:
        """The currency of every amount of the dispute."""
        return str(self.amount_currency)

    @transition(DISPUTE, status, "OPEN")
    def to_open(self) -> None:
        """The bank takes the money back; the merchant may answer."""

    @transition(DISPUTE, status, "CLOSED")
    def to_closed(self) -> None:
        """The bank lets an inquiry rest; no money moved."""

    @transition(DISPUTE, status, "EVIDENCE_SENT")
    def to_evidence_sent(self, *, evidence_sent_at: datetime) -> None:
        """The bank has the merchant's answer and decides."""
        self.evidence_sent_at = self.evidence_sent_at or evidence_sent_at

    @transition(DISPUTE, status, "ACCEPTED")
    def to_accepted(self) -> None:
        """The merchant lets it stand; the loss is final."""

    @transition(DISPUTE, status, "WON")
    def to_won(self) -> None:
        """The bank gives the money back."""
        self.verdict, self.borne_by = "won", ""

    @transition(DISPUTE, status, "LOST")
    def to_lost(self, *, borne_by: str) -> None:
        """The money stays with the buyer; `borne_by` is seller or platform."""
        self.verdict, self.borne_by = "lost", borne_by


class DisputeLine(models.Model):
    """How much of a dispute is of which order, and what its parts are while it is open or lost.

    `seller_minor` is what is held of the seller, together with what exceeds the order's captured money.
    `hold_subject` names the hold in the seller's wallet, `fee_minor` is the recharged fee.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="lines")
    charge_line = models.ForeignKey(ChargeLine, on_delete=models.PROTECT, related_name="+")
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="dispute_lines")
    amount_minor = models.BigIntegerField()
    seller_minor = models.BigIntegerField(default=0)
    commission_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    is_reserved = models.BooleanField(default=False)
    hold_subject = models.CharField(max_length=120, blank=True)
    fee_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "dispute", "order"], name="payments_dispute_line_once"
            ),
            models.CheckConstraint(
                condition=Q(
                    amount_minor__gte=0,
                    seller_minor__gte=0,
                    commission_minor__gte=0,
                    tax_minor__gte=0,
                    fee_minor__gte=0,
                )
                & (
                    Q(is_reserved=False)
                    | Q(amount_minor=F("seller_minor") + F("commission_minor") + F("tax_minor"))
                ),
                name="payments_dispute_line_parts",
            ),
        ]


class DisputeMovement(models.Model):
    """Money that changed hands for a dispute, by the provider's own record; append-only.

    `amount_minor` and `fee_minor` are what left us (withdrawn) or came back (reinstated), never negative.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="movements")
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    psp_reference = models.CharField(max_length=255)
    number = models.SmallIntegerField()
    kind = models.CharField(max_length=12)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    moved_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "psp_reference"], name="payments_dispute_movement_once"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["withdrawn", "reinstated"], amount_minor__gt=0, fee_minor__gte=0),
                name="payments_dispute_movement_sane",
            ),
        ]
        indexes = [models.Index(fields=["dispute", "number"], name="payments_movement_of_dispute")]


class DisputeEvidence(models.Model):
    """One piece of an answer: a text, or a file whose `content` is base64. What was sent stays as it was."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    dispute = models.ForeignKey(Dispute, on_delete=models.PROTECT, related_name="evidence")
    field = models.CharField(max_length=48)
    text = EncryptedTextField()
    file_name = models.CharField(max_length=120, blank=True)
    media_type = models.CharField(max_length=32, blank=True)
    size = models.IntegerField(default=0)
    sha256 = models.BinaryField(max_length=32, null=True)
    content = EncryptedTextField()
    # The operation that sends it; a draft has none. What was replaced before it was sent is not sent.
    operation = models.ForeignKey(
        "payments.PspOperation", on_delete=models.PROTECT, null=True, related_name="evidence"
    )
    replaced_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=80)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "dispute", "field"],
                condition=Q(operation__isnull=True, replaced_at__isnull=True),
                name="payments_evidence_one_draft",
            ),
        ]


class ChargeReversal(models.Model):
    """A rail took a captured charge back after its success; append-only, once for a charge."""

    charge = models.OneToOneField(Charge, on_delete=models.PROTECT, primary_key=True, related_name="reversal")
    merchant_id = models.UUIDField()
    psp_reference = models.CharField(max_length=255)
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=200, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="payments_reversal_positive"),
        ]


class ReversalLine(models.Model):
    """What a reversal took of one order, part by part; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    reversal = models.ForeignKey(ChargeReversal, on_delete=models.PROTECT, related_name="lines")
    order = models.ForeignKey(PaymentOrder, on_delete=models.PROTECT, related_name="reversal_lines")
    amount_minor = models.BigIntegerField()
    seller_minor = models.BigIntegerField()
    commission_minor = models.BigIntegerField()
    tax_minor = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "reversal", "order"], name="payments_reversal_line_once"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor=F("seller_minor") + F("commission_minor") + F("tax_minor")),
                name="payments_reversal_line_parts",
            ),
        ]
