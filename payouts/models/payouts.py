"""What is paid out to a seller."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import EventSubject
from payouts.models.destinations import Destination
from payouts.states import PAYOUT

__all__ = ["Payout"]


class Payout(StatefulModel, EventSubject):
    """One amount that leaves for one seller, and the fee that the seller pays for it beside it.

    `instruction_digest` is of the exact instruction that was said yes to, by a person or by the policy. The
    database refuses APPROVED and EXECUTING without such a yes (payouts/sql/four_eyes.sql), and a yes by the
    person who asked.

    `execute_on` is the business day on which it is to be sent; `attempts` counts how often it was.
    """

    machine = PAYOUT
    objects: ClassVar[models.Manager["Payout"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    seller = models.ForeignKey("merchants.Seller", on_delete=models.PROTECT, related_name="+", db_index=False)
    wallet_id = models.UUIDField()
    destination = models.ForeignKey(
        Destination, on_delete=models.PROTECT, related_name="payouts", db_index=False
    )
    channel = models.ForeignKey(
        "channels.Channel", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    amount = MoneyField(max_digits=20, decimal_places=4, default_currency=None, currency_choices=())
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField(default=0)
    origin = models.CharField(max_length=8)
    # The run of a schedule that asked for it: once for each seller and currency.
    run = models.CharField(max_length=64, null=True)
    metadata = models.JSONField(default=dict)
    status = StateField(PAYOUT)
    execute_on = models.DateField()
    requested_by = models.CharField(max_length=80)
    approved_by = models.CharField(max_length=80, blank=True)
    auto_approved_by_policy = models.BooleanField(default=False)
    instruction_digest = models.BinaryField(max_length=32, null=True)
    why_held = models.CharField(max_length=200, blank=True)
    attempts = models.SmallIntegerField(default=0)
    failure = models.JSONField(null=True)
    provider_reference = models.CharField(max_length=255, null=True)
    arrival_date = models.DateField(null=True)
    sent_at = models.DateTimeField(null=True)
    paid_at = models.DateTimeField(null=True)
    returned_at = models.DateTimeField(null=True)
    # What was kept of a return.
    return_fee_minor = models.BigIntegerField(default=0)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0, fee_minor__gte=0, return_fee_minor__gte=0)
                & Q(return_fee_minor__lte=F("amount_minor")),
                name="payouts_payout_amounts",
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["api", "console", "schedule"]), name="payouts_payout_known_origin"
            ),
            models.CheckConstraint(
                condition=Q(approved_by="") | ~Q(approved_by=F("requested_by")),
                name="payouts_payout_second_person",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["REQUESTED", "IN_REVIEW", "REJECTED", "CANCELED"])
                | Q(auto_approved_by_policy=True, instruction_digest__isnull=False, approved_by="")
                | Q(auto_approved_by_policy=False, instruction_digest__isnull=False) & ~Q(approved_by=""),
                name="payouts_payout_was_approved",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["SENT", "PAID", "RETURNED"]) | Q(sent_at__isnull=False),
                name="payouts_payout_sent_has_its_time",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "run", "seller", "amount_currency"],
                condition=Q(run__isnull=False),
                name="payouts_payout_once_per_run",
            ),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="payouts_payout_owner"),
        ]
        indexes = [
            models.Index(fields=["merchant_id", "-created_at", "-id"], name="payouts_payout_list"),
            models.Index(
                fields=["merchant_id", "status", "-created_at", "-id"], name="payouts_payout_by_status"
            ),
            models.Index(
                fields=["merchant_id", "seller", "-created_at", "-id"], name="payouts_payout_by_seller"
            ),
            models.Index(
                fields=["execute_on", "id"], name="payouts_payout_ready", condition=Q(status="APPROVED")
            ),
            models.Index(
                fields=["id"],
                name="payouts_payout_waiting",
                condition=Q(status__in=["REQUESTED", "IN_REVIEW", "BLOCKED"]),
            ),
        ]

    @property
    def public_id(self) -> str:
        """The id shown outside; the payment's reference at the bank as well."""
        return public_id("po", self.id)

    @property
    def currency(self) -> str:
        """The currency of the amount and the fee."""
        return str(self.amount_currency)

    @transition(PAYOUT, status, "IN_REVIEW")
    def to_in_review(self, *, why_held: str) -> None:
        """A person must say yes to the instruction as it is now; an earlier yes is worth nothing any more."""
        self.why_held, self.approved_by, self.auto_approved_by_policy = why_held[:200], "", False
        self.instruction_digest = None

    @transition(PAYOUT, status, "APPROVED")
    def to_approved(
        self,
        *,
        instruction_digest: bytes | None = None,
        approved_by: str = "",
        execute_on: date | None = None,
    ) -> None:
        """A second person or the policy said yes; or what stopped it is gone, or nothing was sent.

        Without a digest the yes that was given stands.
        """
        if instruction_digest is not None:
            self.instruction_digest, self.approved_by = instruction_digest, approved_by
            self.auto_approved_by_policy = not approved_by
        self.execute_on = execute_on or self.execute_on
        self.why_held = ""

    @transition(PAYOUT, status, "REJECTED")
    def to_rejected(self, *, failure: dict[str, Any]) -> None:
        """A person, or risk, said no."""
        self.failure = failure

    @transition(PAYOUT, status, "CANCELED")
    def to_canceled(self) -> None:
        """It is not wanted any more, and nothing was sent."""

    @transition(PAYOUT, status, "BLOCKED")
    def to_blocked(self, *, why_held: str) -> None:
        """A gate was closed when it should have been sent."""
        self.why_held = why_held[:200]

    @transition(PAYOUT, status, "EXECUTING")
    def to_executing(self) -> None:
        """Its instruction is about to be sent."""
        self.attempts += 1

    @transition(PAYOUT, status, "UNKNOWN")
    def to_unknown(self) -> None:
        """It was sent and no trustworthy answer came."""

    @transition(PAYOUT, status, "SENT")
    def to_sent(
        self, *, sent_at: datetime, provider_reference: str | None = None, arrival_date: date | None = None
    ) -> None:
        """The provider or the bank has taken it on."""
        self.sent_at = sent_at
        self.provider_reference = provider_reference or self.provider_reference
        self.arrival_date = arrival_date or self.arrival_date

    @transition(PAYOUT, status, "PAID")
    def to_paid(self, *, paid_at: datetime, sent_at: datetime, provider_reference: str | None = None) -> None:
        """There is evidence that the money left; it may still come back."""
        self.paid_at, self.sent_at = paid_at, self.sent_at or sent_at
        self.provider_reference = provider_reference or self.provider_reference

    @transition(PAYOUT, status, "RETURNED")
    def to_returned(
        self, *, returned_at: datetime, failure: dict[str, Any], return_fee_minor: int = 0
    ) -> None:
        """The money came back, days or weeks later: it is the seller's again."""
        self.returned_at, self.failure, self.return_fee_minor = returned_at, failure, return_fee_minor

    @transition(PAYOUT, status, "FAILED")
    def to_failed(self, *, failure: dict[str, Any]) -> None:
        """The provider or the bank refused it: no money left."""
        self.failure = failure
