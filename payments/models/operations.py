"""Requests to a provider."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import WorkRow
from payments.models.charges import Charge
from payments.models.disputes import Dispute
from payments.models.refunds import Refund
from payments.states import OPERATION_OPEN, PSP_OPERATION

__all__ = ["PspOperation"]


class PspOperation(StatefulModel, WorkRow):
    """One request to a provider that has an effect, with the idempotency key under which it is ever sent."""

    machine = PSP_OPERATION

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    charge = models.ForeignKey(
        Charge,
        on_delete=models.PROTECT,
        related_name="operations",
        db_index=False,  # payments_operation_of_charge begins with it.
    )
    channel = models.ForeignKey(
        "channels.Channel",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,  # What is due or open is looked for by its channel, and has indexes of its own.
    )
    # What a refund operation is for; without one it gives back money that came too late for any order.
    refund = models.ForeignKey(
        Refund,
        on_delete=models.PROTECT,
        null=True,
        related_name="operations",
        db_index=False,  # payments_operation_one_of_a_refund has it.
    )
    # Whose answer an operation sends.
    dispute = models.ForeignKey(
        Dispute, on_delete=models.PROTECT, null=True, related_name="operations", db_index=False
    )
    kind = models.CharField(max_length=16)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    nonce = models.CharField(max_length=64)
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
            # Not of the column: that would bring a second index, for patterns.
            models.UniqueConstraint(fields=["nonce"], name="payments_operation_nonce_once"),
            models.UniqueConstraint(
                fields=["merchant_id", "charge", "kind"],
                condition=Q(refund=None, dispute=None) & ~Q(status__in=["DECLINED", "CANCELED"]),
                name="payments_operation_one_of_a_kind",
            ),
            # Authorised money is taken or given back, never both: whoever comes second finds the first.
            models.UniqueConstraint(
                fields=["merchant_id", "charge"],
                condition=Q(kind__in=["capture", "void"]) & ~Q(status__in=["DECLINED", "CANCELED"]),
                name="payments_operation_capture_or_void",
            ),
            models.UniqueConstraint(
                fields=["refund"],
                condition=~Q(status__in=["DECLINED", "CANCELED"]) & Q(refund__isnull=False),
                name="payments_operation_one_of_a_refund",
            ),
            models.UniqueConstraint(
                fields=["dispute"],
                condition=Q(status__in=OPERATION_OPEN) & Q(dispute__isnull=False),
                name="payments_operation_one_of_a_dispute",
            ),
            models.CheckConstraint(
                condition=Q(dispute=None) & ~Q(kind__in=["evidence", "accept_dispute"])
                | Q(dispute__isnull=False, kind__in=["evidence", "accept_dispute"]),
                name="payments_operation_of_a_dispute_answers",
            ),
            models.CheckConstraint(
                condition=Q(refund=None) | Q(kind="refund"), name="payments_operation_of_a_refund_refunds"
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
