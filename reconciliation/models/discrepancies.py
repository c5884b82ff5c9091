"""Breaks, what people and rules propose for them, and what is posted."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import EventSubject
from reconciliation.models.sources import SettlementSource
from reconciliation.states import ADJUSTMENT, BREAK_RULE, DISCREPANCY

__all__ = ["Adjustment", "BreakRule", "Discrepancy", "DiscrepancyNote", "RuleDryRun"]


class Discrepancy(StatefulModel, EventSubject):
    """One break: what differs, how much is at stake, who deals with it and until when.

    `key` names it for good ("line:psp:123:AMOUNT_MISMATCH"): found again while open it is the same one.
    `explanation` says, in order, what was tried and why it did not fit, with both sides' figures.
    `amount_minor` is the value at stake, never negative.
    """

    machine = DISCREPANCY
    objects: ClassVar[models.Manager["Discrepancy"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    source = models.ForeignKey(
        SettlementSource, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    run_id = models.UUIDField(null=True)
    file_id = models.UUIDField(null=True)
    key = models.CharField(max_length=160)
    break_class = models.CharField(max_length=24)
    category = models.CharField(max_length=1)
    side = models.CharField(max_length=4, blank=True)
    line_id = models.BigIntegerField(null=True)
    subject_kind = models.CharField(max_length=20, blank=True)
    subject_id = models.UUIDField(null=True)
    clearing_key = models.CharField(max_length=80, blank=True)
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    summary = models.CharField(max_length=300)
    explanation = models.JSONField(default=dict)
    rule_name = models.CharField(max_length=64, blank=True)
    rule_version = models.IntegerField(null=True)
    owner = models.CharField(max_length=80, blank=True)
    business_date = models.DateField()
    due_at = models.DateTimeField()
    status = StateField(DISCREPANCY)
    resolution = models.CharField(max_length=500, blank=True)
    resolved_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "discrepancies"
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "key"],
                condition=~Q(status="RESOLVED"),
                name="reconciliation_one_open_break",
            ),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="reconciliation_break_owner"),
            models.CheckConstraint(
                condition=Q(category__in=["A", "B", "C"], amount_minor__gte=0),
                name="reconciliation_break_sane",
            ),
            models.CheckConstraint(
                condition=~Q(status="RESOLVED") | (Q(resolved_at__isnull=False) & ~Q(resolution="")),
                name="reconciliation_break_resolved_because",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant_id", "category", "due_at"],
                name="reconciliation_break_queue",
                condition=~Q(status="RESOLVED"),
            ),
            models.Index(fields=["merchant_id", "-id"], name="reconciliation_break_list"),
            models.Index(fields=["run_id"], name="reconciliation_break_run"),
            models.Index(
                fields=["line_id"], name="reconciliation_break_line", condition=Q(line_id__isnull=False)
            ),
            models.Index(
                fields=["subject_id"],
                name="reconciliation_break_subject",
                condition=Q(subject_id__isnull=False),
            ),
        ]

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("dsc", self.id)

    @transition(DISCREPANCY, status, "ASSIGNED")
    def to_assigned(self, *, owner: str) -> None:
        """A person deals with it; what was proposed before is off the table."""
        self.owner = owner

    @transition(DISCREPANCY, status, "PROPOSED")
    def to_proposed(self, *, owner: str | None = None) -> None:
        """An entry, or the word that none is needed, waits for a second person's yes."""
        self.owner = owner or self.owner

    @transition(DISCREPANCY, status, "RESOLVED")
    def to_resolved(self, *, resolution: str, resolved_at: datetime) -> None:
        """It is explained, and where needed the books have the entry."""
        self.resolution, self.resolved_at = resolution[:500], resolved_at

    @transition(DISCREPANCY, status, "OPEN")
    def to_open(self, *, due_at: datetime | None = None, category: str | None = None) -> None:
        """It is in the queue (again): what resolved it was taken back, or its owner gave it back."""
        self.owner, self.resolution, self.resolved_at = "", "", None
        self.due_at, self.category = due_at or self.due_at, category or self.category


class DiscrepancyNote(models.Model):
    """What somebody wrote about a break; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="notes")
    by = models.CharField(max_length=80)
    text = models.CharField(max_length=2000)
    at = models.DateTimeField()


class BreakRule(StatefulModel):
    """One version of a rule: which breaks it is for, and what is done with them.

    `conditions` narrow the class down (source, currency, line kind, most minor units, sign …); `action` is
    the adjustment to propose ("A10", empty: none); in category A it is posted by itself, at most
    `cap_line_minor` for a break and `cap_day_minor` for a merchant's business day and currency. Of a name one
    version is ACTIVE.
    """

    machine = BREAK_RULE
    objects: ClassVar[models.Manager["BreakRule"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(null=True)
    name = models.CharField(max_length=64)
    version = models.IntegerField()
    position = models.IntegerField()
    break_class = models.CharField(max_length=24)
    conditions = models.JSONField(default=dict)
    category = models.CharField(max_length=1)
    action = models.CharField(max_length=8, blank=True)
    cap_line_minor = models.BigIntegerField(default=0)
    cap_day_minor = models.BigIntegerField(default=0)
    sla_hours = models.IntegerField()
    owner_role = models.CharField(max_length=32)
    note = models.CharField(max_length=500)
    status = StateField(BREAK_RULE)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    activated_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "name", "version"],
                nulls_distinct=False,
                name="reconciliation_rule_version",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "name"],
                condition=Q(status="ACTIVE"),
                nulls_distinct=False,
                name="reconciliation_rule_one_active",
            ),
            models.CheckConstraint(
                condition=Q(category__in=["A", "B", "C"], cap_line_minor__gte=0, cap_day_minor__gte=0),
                name="reconciliation_rule_sane",
            ),
            # Nothing is posted by itself without a cap.
            models.CheckConstraint(
                condition=~Q(category="A") | Q(action="") | Q(cap_line_minor__gt=0, cap_day_minor__gt=0),
                name="reconciliation_rule_capped",
            ),
        ]

    @transition(BREAK_RULE, status, "ACTIVE")
    def to_active(self, *, activated_at: datetime) -> None:
        """From now on runs apply it."""
        self.activated_at = activated_at

    @transition(BREAK_RULE, status, "RETIRED")
    def to_retired(self) -> None:
        """A later version, or none, holds in its place."""


class RuleDryRun(models.Model):
    """What a draft would have done with the breaks of a time; append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    rule = models.ForeignKey(BreakRule, on_delete=models.PROTECT, related_name="dry_runs")
    first_day = models.DateField()
    last_day = models.DateField()
    result = models.JSONField()
    by = models.CharField(max_length=80)
    at = models.DateTimeField()


class Adjustment(StatefulModel):
    """An entry that a rule or a person proposes for a break, and where it is in the books.

    `instruction` is all that the entry is made from; `evidence` what it rests on, with its SHA-256. Posted by
    a rule it is `automatic`, with the rule; by people, maker and checker differ: the database asks for one or
    the other. `reverses` takes a posted one back.
    """

    machine = ADJUSTMENT
    objects: ClassVar[models.Manager["Adjustment"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    discrepancy = models.ForeignKey(Discrepancy, on_delete=models.PROTECT, related_name="adjustments")
    template = models.CharField(max_length=8)  # A1 … A10, or "none": explained without an entry
    instruction = models.JSONField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    business_date = models.DateField()
    evidence = models.JSONField()
    evidence_digest = models.BinaryField(max_length=32)
    rule_name = models.CharField(max_length=64, blank=True)
    rule_version = models.IntegerField(null=True)
    automatic = models.BooleanField(default=False)
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80, blank=True)
    approval_id = models.UUIDField(null=True)
    entry_id = models.BigIntegerField(null=True)
    reverses = models.OneToOneField("self", on_delete=models.PROTECT, null=True, related_name="reversed_by")
    status = StateField(ADJUSTMENT)
    created_at = models.DateTimeField()
    posted_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["discrepancy"],
                condition=Q(status="PROPOSED"),
                name="reconciliation_one_proposal_at_a_time",
            ),
            # I30, R7: a second person, or a rule.
            models.CheckConstraint(
                condition=Q(status__in=["PROPOSED", "REJECTED"])
                | (Q(automatic=True) & ~Q(rule_name=""))
                | (Q(automatic=False, approval_id__isnull=False) & ~Q(checker="") & ~Q(checker=F("maker"))),
                name="reconciliation_adjustment_four_eyes",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["PROPOSED", "REJECTED"])
                | Q(template="none")
                | Q(entry_id__isnull=False),
                name="reconciliation_adjustment_posted_is_in_the_books",
            ),
        ]
        indexes = [
            models.Index(
                fields=["merchant_id", "business_date", "rule_name"], name="reconciliation_adjustment_day"
            )
        ]

    @transition(ADJUSTMENT, status, "POSTED")
    def to_posted(
        self,
        *,
        posted_at: datetime,
        entry_id: int | None,
        checker: str = "",
        approval_id: Any = None,
    ) -> None:
        """It is in the books."""
        self.posted_at, self.entry_id = posted_at, entry_id
        self.checker, self.approval_id = checker, approval_id

    @transition(ADJUSTMENT, status, "REJECTED")
    def to_rejected(self) -> None:
        """It is not posted: somebody said no, or the break is gone."""

    @transition(ADJUSTMENT, status, "REVERSED")
    def to_reversed(self) -> None:
        """A later adjustment took it back."""
