"""How payouts are sent: together, each under a reference that is used once."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import WorkRow
from payouts.models.payouts import Payout
from payouts.states import ATTEMPT, ATTEMPT_DEAD, BATCH

__all__ = ["PayoutAttempt", "PayoutBatch"]


class PayoutBatch(StatefulModel, WorkRow):
    """What is sent to one provider in one message: a call, or a file. Its work is to send it and to ask.

    `reference` names it at the provider and is stored before anything is sent. What goes out is made from the
    attempts that were SENT with it, so that it can be made again, byte for byte: `file_name` and `sha256` say
    whether it is the same.
    """

    machine = BATCH
    objects: ClassVar[models.Manager["PayoutBatch"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    channel = models.ForeignKey("channels.Channel", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    execute_on = models.DateField()
    reference = models.CharField(max_length=35)
    status = StateField(BATCH)
    payouts_count = models.IntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    file_name = models.CharField(max_length=120, null=True)
    sha256 = models.BinaryField(max_length=32, null=True)
    provider_reference = models.CharField(max_length=255, null=True)
    # How often the provider was asked since the last news.
    asked = models.IntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    first_sent_at = models.DateTimeField(null=True)
    # What is still under way may be as young as this.
    last_sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "payout batches"
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "reference"], name="payouts_batch_reference_once"),
            models.UniqueConstraint(
                fields=["merchant_id", "channel", "file_name"],
                condition=Q(file_name__isnull=False),
                name="payouts_batch_file_once",
            ),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="payouts_batch_owner"),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="payouts_batch_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["merchant_id", "-id"], name="payouts_batch_list"),
        ]

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("pob", self.id)

    @transition(BATCH, status, "SUBMITTING")
    def to_submitting(
        self,
        *,
        sent_at: datetime,
        due_at: datetime,
        payouts_count: int,
        total_minor: int,
        file_name: str | None = None,
        sha256: bytes | None = None,
    ) -> None:
        """About to be sent; if no outcome is recorded by `due_at`, somebody must ask."""
        self.first_sent_at, self.last_sent_at, self.due_at = self.first_sent_at or sent_at, sent_at, due_at
        self.payouts_count, self.total_minor = payouts_count, total_minor
        self.file_name, self.sha256 = file_name, sha256

    @transition(BATCH, status, "SUBMITTED")
    def to_submitted(self, *, due_at: datetime | None, provider_reference: str | None = None) -> None:
        """The provider has it; it is asked again at `due_at` what became of the payouts in it."""
        self.due_at, self.leased_until, self.error, self.asked, self.attempts = due_at, None, "", 0, 0
        self.provider_reference = provider_reference or self.provider_reference

    @transition(BATCH, status, "NOT_SENT")
    def to_not_sent(self, *, error: str, due_at: datetime | None) -> None:
        """It provably never arrived: sending it again is safe."""
        self.attempts += 1
        self.due_at, self.leased_until, self.error = due_at, None, error[:500]

    @transition(BATCH, status, "UNKNOWN")
    def to_unknown(self, *, error: str, due_at: datetime | None) -> None:
        """No trustworthy answer: it is asked about, never sent under another reference."""
        self.due_at, self.leased_until, self.error = due_at, None, error[:500]

    @transition(BATCH, status, "REFUSED")
    def to_refused(self, *, error: str, is_empty: bool = False) -> None:
        """The provider refused all of it, for good; or nothing of it was ever sent (`is_empty`)."""
        if is_empty:
            self.payouts_count, self.total_minor = 0, 0
        self.due_at, self.leased_until, self.error = None, None, error[:500]

    @transition(BATCH, status, "CANCELED")
    def to_canceled(self, *, error: str = "") -> None:
        """Nothing of it is to be sent any more."""
        self.due_at, self.leased_until, self.error = None, None, error[:500]

    @transition(BATCH, status, "CLOSED")
    def to_closed(self) -> None:
        """The provider has told of every payout in it."""
        self.due_at, self.leased_until = None, None


class PayoutAttempt(StatefulModel):
    """One sending of one payout, under a reference of its own: at most one of a payout is live.

    `reference` is the provider's idempotency key and the end-to-end id in a file: stored before the call, the
    same for every try, at most 35 characters (ISO 20022 Max35Text). `position` is its place in the batch.
    """

    machine = ATTEMPT
    objects: ClassVar[models.Manager["PayoutAttempt"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    payout = models.ForeignKey(Payout, on_delete=models.PROTECT, related_name="sendings")
    batch = models.ForeignKey(PayoutBatch, on_delete=models.PROTECT, related_name="sendings", db_index=False)
    position = models.IntegerField()
    reference = models.CharField(max_length=35)
    instruction_digest = models.BinaryField(max_length=32)
    status = StateField(ATTEMPT)
    provider_reference = models.CharField(max_length=255, null=True)
    failure = models.JSONField(null=True)
    arrival_date = models.DateField(null=True)
    sent_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["payout"],
                condition=~Q(status__in=ATTEMPT_DEAD),
                name="payouts_attempt_one_live",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "reference"], name="payouts_attempt_reference_once"
            ),
            models.UniqueConstraint(fields=["batch", "position"], name="payouts_attempt_place_in_batch"),
            models.UniqueConstraint(
                fields=["merchant_id", "provider_reference"],
                condition=Q(provider_reference__isnull=False),
                name="payouts_attempt_provider_reference",
            ),
        ]

    @transition(ATTEMPT, status, "SENT")
    def to_sent(self, *, sent_at: datetime) -> None:
        """About to be sent, with its batch."""
        self.sent_at = self.sent_at or sent_at

    @transition(ATTEMPT, status, "ACCEPTED")
    def to_accepted(self, *, provider_reference: str | None = None, arrival_date: date | None = None) -> None:
        """The provider has taken it on."""
        self.provider_reference = provider_reference or self.provider_reference
        self.arrival_date = arrival_date or self.arrival_date

    @transition(ATTEMPT, status, "PAID")
    def to_paid(self, *, provider_reference: str | None = None) -> None:
        """The provider has evidence that it left."""
        self.provider_reference = provider_reference or self.provider_reference

    @transition(ATTEMPT, status, "REFUSED")
    def to_refused(
        self, *, failure: dict[str, Any], provider_reference: str | None = None, never_sent: bool = False
    ) -> None:
        """It was refused, and no money left. What is proved never to have been sent has no time of it."""
        self.failure = failure
        self.sent_at = None if never_sent else self.sent_at
        self.provider_reference = provider_reference or self.provider_reference

    @transition(ATTEMPT, status, "NOT_SENT")
    def to_not_sent(self) -> None:
        """It provably never arrived."""

    @transition(ATTEMPT, status, "UNKNOWN")
    def to_unknown(self) -> None:
        """Sent, without a trustworthy answer."""

    @transition(ATTEMPT, status, "RETURNED")
    def to_returned(self, *, failure: dict[str, Any]) -> None:
        """The money came back."""
        self.failure = failure

    @transition(ATTEMPT, status, "CANCELED")
    def to_canceled(self) -> None:
        """It was not sent, and will not be."""
