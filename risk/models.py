"""Risk: what was observed about payments, the rules over it, and what they decided. No personal data."""

from datetime import datetime
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from core.fields import EncryptedJSONField, EncryptedTextField
from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import WorkRow
from risk.states import RISK_CHECK, RISK_RULE

__all__ = [
    "RiskCheck",
    "RiskDecision",
    "RiskDryRun",
    "RiskFact",
    "RiskKey",
    "RiskList",
    "RiskListEntry",
    "RiskRule",
    "RiskVendor",
]

_DECISIONS = ["approve", "review", "decline"]
_KEYS = ("buyer_key", "email_key", "ip_key", "device_key", "method_key", "card_key")


def _key() -> "models.BinaryField[bytes | None, bytes | None]":
    return models.BinaryField(max_length=16, null=True)


def _by(column: str) -> models.Index:
    """Most facts lack most keys; those that have one are found by it, newest last."""
    return models.Index(
        fields=["merchant_id", column, "at"],
        name=f"risk_fact_by_{column.removesuffix('_key')}",
        condition=Q(**{f"{column}__isnull": False}),
    )


class RiskKey(models.Model):
    """The secret that a merchant's digests are made with: stored once, encrypted, never shown."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(unique=True)
    secret = EncryptedTextField()
    created_at = models.DateTimeField()


class RiskFact(models.Model):
    """One observation about a payment: it was accepted, it was paid, it was declined. Append-only.

    Who it was is known by digests only. A payment in two currencies is accepted in two rows.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    kind = models.CharField(max_length=12)
    subject_id = models.UUIDField()
    at = models.DateTimeField()
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    buyer_key = _key()
    email_key = _key()
    ip_key = _key()
    device_key = _key()
    method_key = _key()
    card_key = _key()
    card_bin = models.CharField(max_length=8, null=True)
    card_brand = models.CharField(max_length=24, blank=True)
    card_country = models.CharField(max_length=2, blank=True)
    decline_code = models.CharField(max_length=64, blank=True)
    avs = models.CharField(max_length=12, blank=True)
    cvc = models.CharField(max_length=12, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=["accepted", "paid", "declined"]), name="risk_fact_kind"
            ),
        ]
        indexes = [
            *(_by(column) for column in (*_KEYS, "card_bin")),
            models.Index(fields=["merchant_id", "at"], name="risk_fact_by_time"),
            models.Index(fields=["subject_id"], name="risk_fact_of_subject"),
        ]


class RiskRule(StatefulModel):
    """One version of a rule. Its content is fixed: a change is the next version, which begins as a draft."""

    machine = RISK_RULE
    objects: ClassVar[models.Manager["RiskRule"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    version = models.IntegerField()
    kind = models.CharField(max_length=32)
    params = models.JSONField()
    score = models.SmallIntegerField(default=0)
    decision = models.CharField(max_length=8, blank=True)
    reason = models.CharField(max_length=200)
    on_error = models.CharField(max_length=8)
    status = StateField(RISK_RULE)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "name", "version"], name="risk_rule_version_once"),
            models.UniqueConstraint(
                fields=["merchant", "name"], condition=Q(status="ACTIVE"), name="risk_rule_one_active"
            ),
            models.CheckConstraint(condition=Q(decision__in=["", *_DECISIONS]), name="risk_rule_decision"),
            models.CheckConstraint(
                condition=Q(on_error__in=["ignore", "review", "decline"]), name="risk_rule_on_error"
            ),
            models.CheckConstraint(condition=Q(score__gte=-1000, score__lte=1000), name="risk_rule_score"),
        ]
        indexes = [
            models.Index(
                fields=["merchant"],
                name="risk_rule_in_force",
                condition=Q(status__in=["ACTIVE", "SHADOW"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @transition(RISK_RULE, status, "SHADOW")
    def to_shadow(self) -> None:
        """It is evaluated and recorded, and has no effect."""

    @transition(RISK_RULE, status, "ACTIVE")
    def to_active(self) -> None:
        """It decides."""

    @transition(RISK_RULE, status, "RETIRED")
    def to_retired(self) -> None:
        """It is over; another version may have taken its place."""


class RiskDryRun(models.Model):
    """What one version of a rule would have changed, when somebody asked. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    rule = models.ForeignKey(RiskRule, on_delete=models.PROTECT, related_name="dry_runs")
    since = models.DateTimeField()
    examined = models.IntegerField()
    report = models.JSONField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["rule", "at"], name="risk_dryrun_of_rule")]


class RiskList(models.Model):
    """Values to block, to let through or to look at; a rule of the kind list_hit gives it its effect."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=8)
    key_kind = models.CharField(max_length=16)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant", "name"], name="risk_list_once"),
            models.CheckConstraint(condition=Q(kind__in=["block", "allow", "review"]), name="risk_list_kind"),
        ]

    def __str__(self) -> str:
        return self.name


class RiskListEntry(models.Model):
    """One value on a list. The value itself is encrypted; payments are compared by its digest."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    list = models.ForeignKey(RiskList, on_delete=models.PROTECT, related_name="entries")
    digest = models.BinaryField(max_length=16)
    value = EncryptedTextField()
    reason = models.CharField(max_length=500)
    added_by = models.CharField(max_length=80)
    added_at = models.DateTimeField()
    removed_by = models.CharField(max_length=80, blank=True)
    removed_at = models.DateTimeField(null=True)
    removed_reason = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["list", "digest"], condition=Q(removed_at=None), name="risk_listentry_once"
            ),
        ]


class RiskDecision(models.Model):
    """What was decided about a payment, with everything that it was decided on. Append-only.

    `source`: rules (at the door), vendor (a slow check), policy (a check that could not be made), person.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    subject_id = models.UUIDField()
    source = models.CharField(max_length=8)
    decision = models.CharField(max_length=8)
    score = models.IntegerField(default=0)
    inputs = models.JSONField(default=dict)
    hits = models.JSONField(default=list)
    reasons = ArrayField(models.CharField(max_length=500))
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(decision__in=_DECISIONS), name="risk_decision_decision"),
            models.CheckConstraint(
                condition=Q(source__in=["rules", "vendor", "policy", "person"]), name="risk_decision_source"
            ),
        ]
        indexes = [
            models.Index(fields=["subject_id", "id"], name="risk_decision_of_subject"),
            models.Index(
                fields=["merchant", "at", "id"], name="risk_decision_by_time", condition=Q(source="rules")
            ),
            # What people look for among many approvals; a payment that the rules approve does not touch it.
            models.Index(
                fields=["-id"],
                name="risk_decision_unusual",
                condition=~Q(decision="approve") | ~Q(source="rules"),
            ),
        ]

    def __str__(self) -> str:
        return self.decision


class RiskVendor(models.Model):
    """The line to whoever answers slow checks for a merchant."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.OneToOneField("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    provider = models.CharField(max_length=32)
    base_url = models.CharField(max_length=200)
    credentials = EncryptedJSONField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()


class RiskCheck(WorkRow, StatefulModel):
    """One question to a vendor: asked under `reference` until there is an answer or the time is over."""

    machine = RISK_CHECK
    begins_in_history = False

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant = models.ForeignKey("merchants.Merchant", on_delete=models.PROTECT, related_name="+")
    subject_id = models.UUIDField()
    vendor = models.ForeignKey(RiskVendor, on_delete=models.PROTECT, related_name="+")
    reference = models.CharField(max_length=64, unique=True)
    request = EncryptedJSONField()
    vendor_reference = models.CharField(max_length=128, blank=True)
    status = StateField(RISK_CHECK)
    decision = models.CharField(max_length=8, blank=True)
    asked = models.IntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status="WAITING") | Q(due_at__isnull=True), name="risk_check_due_while_waiting"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="risk_check_due", condition=Q(due_at__isnull=False)),
            models.Index(fields=["subject_id", "id"], name="risk_check_of_subject"),
        ]

    @transition(RISK_CHECK, status, "ANSWERED")
    def to_answered(self, *, decision: str, updated_at: datetime) -> None:
        """The vendor said what it thinks."""
        self._end(decision, updated_at)

    @transition(RISK_CHECK, status, "DEGRADED")
    def to_degraded(self, *, decision: str, updated_at: datetime) -> None:
        """There was no answer in time; the merchant's own policy decided."""
        self._end(decision, updated_at)

    @transition(RISK_CHECK, status, "DROPPED")
    def to_dropped(self, *, updated_at: datetime) -> None:
        """The payment was decided without it."""
        self._end("", updated_at)

    def _end(self, decision: str, updated_at: datetime) -> None:
        self.decision, self.updated_at = decision, updated_at
        self.due_at = self.leased_until = None
