"""What every module may use: users, exactly-once records, facts, history, and what people must see."""

from datetime import datetime

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import F, Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.states import APPROVAL, CASE, DEAD_LETTER

__all__ = [
    "AlertNotice",
    "Approval",
    "AttemptBucket",
    "AuditFence",
    "AuditRecord",
    "AuditResult",
    "AuditRun",
    "AuditSeal",
    "Case",
    "DeadLetter",
    "EventSubject",
    "Figure",
    "IdempotencyRecord",
    "JobRun",
    "OutboxEvent",
    "Setting",
    "StatusChange",
    "User",
    "WorkRow",
]


class User(AbstractUser):
    """A person of the finance, support, risk or operating team. Stores use API keys instead."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)

    class Meta:
        permissions = [("export_lists", "Can take lists out of the console as files")]


class EventSubject(models.Model):
    """A row that events are about: it counts them, without gaps, under its own lock."""

    event_sequence = models.BigIntegerField(default=0)

    class Meta:
        abstract = True


class WorkRow(models.Model):
    """Work to be done: due at a moment, claimed for a while, fenced against a claimer that was too slow.

    `due_at` is null when there is nothing to do. The lease runs on the database's clock.
    """

    due_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    fence = models.BigIntegerField(default=0)
    attempts = models.IntegerField(default=0)

    class Meta:
        abstract = True


class IdempotencyRecord(models.Model):
    """The stored answer to a request that succeeded; committed together with its work."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField(max_length=32)
    status = models.SmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "key"], name="core_idempotency_key"),
            models.CheckConstraint(condition=Q(status__gte=200, status__lt=300), name="core_idempotency_2xx"),
        ]
        indexes = [models.Index(fields=["created_at"], name="core_idempotency_age")]


class OutboxEvent(models.Model):
    """A fact, written once with the change it tells of; only the relay stamps `published_seq`."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(null=True)
    type = models.CharField(max_length=64)
    subject = models.CharField(max_length=64)
    sequence = models.BigIntegerField()
    payload = models.JSONField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    published_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "sequence"], name="core_outbox_once_per_subject"),
            models.UniqueConstraint(fields=["published_seq"], name="core_outbox_published_seq"),
        ]
        indexes = [
            models.Index(
                fields=["subject", "sequence"],
                name="core_outbox_unpublished",
                condition=Q(published_seq=None),
            ),
            models.Index(fields=["merchant_id", "published_seq"], name="core_outbox_feed"),
        ]


class StatusChange(models.Model):
    """One line of an object's history; append-only."""

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.UUIDField(null=True)
    subject_type = models.CharField(max_length=48)
    subject_id = models.UUIDField()
    from_state = models.CharField(max_length=24, blank=True)
    to_state = models.CharField(max_length=24)
    reason = models.CharField(max_length=200)
    actor = models.CharField(max_length=80)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "id"], name="core_statuschange_subject")]

    def __str__(self) -> str:
        return f"{self.from_state or 'new'} → {self.to_state}"


class AuditRecord(models.Model):
    """Who did what; append-only. Rows are written by the database function core_audit_append."""

    seq = models.BigIntegerField(primary_key=True)
    merchant_id = models.UUIDField(null=True)
    actor = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    subject = models.CharField(max_length=80)
    reason = models.CharField(max_length=500, blank=True)
    detail = models.JSONField()
    request_id = models.CharField(max_length=64, blank=True)
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["subject", "seq"], name="core_audit_subject"),
            models.Index(fields=["actor", "seq"], name="core_audit_actor"),
            models.Index(fields=["action", "seq"], name="core_audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"


class AuditFence(models.Model):
    """One row: up to `safe_seq` no audit record can appear any more."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    safe_seq = models.BigIntegerField(default=0)
    next_seq = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="core_auditfence_one_row")]


class AuditSeal(models.Model):
    """One block of the chain over the audit trail: every number after the block before, up to `last_seq`."""

    number = models.BigIntegerField(primary_key=True)
    first_seq = models.BigIntegerField()
    last_seq = models.BigIntegerField(unique=True)
    record_count = models.BigIntegerField()
    root = models.BinaryField(max_length=32)
    previous = models.BinaryField(max_length=32, unique=True)
    hash = models.BinaryField(max_length=32)
    sealed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=1, record_count__gte=1, last_seq__gte=F("first_seq")),
                name="core_auditseal_not_empty",
            )
        ]


class Approval(StatefulModel):
    """A second person's yes to one exact instruction; void as soon as the instruction changes."""

    machine = APPROVAL

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=80)
    action = models.CharField(max_length=80)
    instruction = models.JSONField()
    digest = models.BinaryField(max_length=32)
    status = StateField(APPROVAL)
    maker = models.CharField(max_length=80)
    checker = models.CharField(max_length=80, null=True)
    reason = models.CharField(max_length=500, blank=True)
    requested_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(checker=None) | ~Q(checker=F("maker")), name="core_approval_four_eyes"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["APPROVED", "REJECTED"])
                | Q(checker__isnull=False, decided_at__isnull=False),
                name="core_approval_decided_by_someone",
            ),
            models.UniqueConstraint(
                fields=["subject", "action"], condition=Q(status="PENDING"), name="core_approval_one_pending"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"

    @transition(APPROVAL, status, "APPROVED")
    def to_approved(self, *, checker: str, decided_at: datetime) -> None:
        """A second person said yes."""
        self.checker, self.decided_at = checker, decided_at

    @transition(APPROVAL, status, "REJECTED")
    def to_rejected(self, *, checker: str, decided_at: datetime, reason: str) -> None:
        """A second person said no."""
        self.checker, self.decided_at, self.reason = checker, decided_at, reason

    @transition(APPROVAL, status, "VOID")
    def to_void(self, *, reason: str) -> None:
        """The instruction changed, so what was asked or approved no longer exists."""
        self.reason = reason

    @transition(APPROVAL, status, "EXPIRED")
    def to_expired(self) -> None:
        """Nobody decided in time."""


class Case(StatefulModel):
    """Something a person must look at, with the value at risk, an owner and a clock."""

    machine = CASE

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=48)
    subject = models.CharField(max_length=80)
    summary = models.CharField(max_length=500)
    detail = models.JSONField(default=dict)
    value_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)
    owner = models.CharField(max_length=80, blank=True)
    status = StateField(CASE)
    resolution = models.CharField(max_length=500, blank=True)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"], condition=~Q(status="CLOSED"), name="core_case_one_open"
            )
        ]
        indexes = [models.Index(fields=["status", "due_at"], name="core_case_queue")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"

    @transition(CASE, status, "ASSIGNED")
    def to_assigned(self, *, owner: str) -> None:
        """Somebody took it."""
        self.owner = owner

    @transition(CASE, status, "OPEN")
    def to_open(self) -> None:
        """Its owner gave it back."""
        self.owner = ""

    @transition(CASE, status, "CLOSED")
    def to_closed(self, *, resolution: str, closed_at: datetime) -> None:
        """It is explained."""
        self.resolution, self.closed_at = resolution, closed_at


class AlertNotice(WorkRow):
    """One message about an alert, to be sent one way; its id stays however often it is tried."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="notices", db_index=False)
    severity = models.CharField(max_length=8)
    way = models.CharField(max_length=8)
    error = models.CharField(max_length=300, blank=True)
    # Who took it: addresses, or the host of the webhook.
    told = models.CharField(max_length=300, blank=True, default="", db_default="")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["case", "severity", "way"], name="core_alertnotice_once"),
            models.CheckConstraint(
                condition=Q(way__in=["email", "webhook"], severity__in=["warning", "critical"]),
                name="core_alertnotice_known",
            ),
            models.CheckConstraint(
                condition=Q(sent_at=None) | Q(due_at=None), name="core_alertnotice_sent_is_done"
            ),
        ]
        indexes = [
            models.Index(fields=["due_at"], name="core_alertnotice_due", condition=Q(due_at__isnull=False))
        ]

    def __str__(self) -> str:
        return f"{self.way} {self.case_id}"


class JobRun(models.Model):
    """One scheduled job for one scope and business date: it can be done once."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    job = models.CharField(max_length=64)
    scope = models.CharField(max_length=64)
    business_date = models.DateField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    leased_until = models.DateTimeField()
    attempts = models.IntegerField(default=1)
    summary = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["job", "scope", "business_date"], name="core_jobrun_once")
        ]

    def __str__(self) -> str:
        return f"{self.job} {self.business_date} {self.scope}"


class DeadLetter(StatefulModel):
    """Work that failed for good and waits for a person: replay it or drop it, with a reason."""

    machine = DEAD_LETTER

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField(null=True)
    queue = models.CharField(max_length=64)
    subject = models.CharField(max_length=80)
    error = models.TextField()
    detail = models.JSONField(default=dict)
    attempts = models.IntegerField()
    status = StateField(DEAD_LETTER)
    reason = models.CharField(max_length=500, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    died_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["queue", "subject"], condition=Q(status="OPEN"), name="core_deadletter_one_open"
            )
        ]
        indexes = [models.Index(fields=["status", "died_at"], name="core_deadletter_queue")]

    def __str__(self) -> str:
        return f"{self.queue} {self.subject}"

    @transition(DEAD_LETTER, status, "REPLAYED")
    def to_replayed(self, *, reason: str, decided_by: str, decided_at: datetime) -> None:
        """A person sent it back to work."""
        self.reason, self.decided_by, self.decided_at = reason, decided_by, decided_at

    @transition(DEAD_LETTER, status, "DROPPED")
    def to_dropped(self, *, reason: str, decided_by: str, decided_at: datetime) -> None:
        """A person decided that it need not be done."""
        self.reason, self.decided_by, self.decided_at = reason, decided_by, decided_at


class Setting(models.Model):
    """One version of a value that people change while the system runs; append-only, effective dated."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    name = models.CharField(max_length=80)
    scope = models.CharField(max_length=80, blank=True)
    version = models.IntegerField()
    value = models.JSONField()
    effective_at = models.DateTimeField()
    actor = models.CharField(max_length=80)
    reason = models.CharField(max_length=500)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "scope", "version"], name="core_setting_version")
        ]

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"


class AuditRun(models.Model):
    """One run of the invariants, with what it covered."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField()
    is_clean = models.BooleanField()
    is_full = models.BooleanField(default=True, db_default=True)

    class Meta:
        indexes = [models.Index(fields=["started_at"], name="core_auditrun_started")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M} UTC"


class AuditResult(models.Model):
    """What one invariant found in one run: rows that must not exist."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    run = models.ForeignKey(AuditRun, on_delete=models.PROTECT, related_name="results")
    name = models.CharField(max_length=64)
    verdict = models.CharField(max_length=16)  # clean | violated | not_exercised | failed
    violations = models.IntegerField()
    sample = models.JSONField(default=list)
    milliseconds = models.IntegerField()
    # What was examined, where the rule can be examined piece by piece: the numbers after the first, up to
    # the second; and how far everything is known to be clean, which is where the next run begins.
    examined_after = models.BigIntegerField(null=True)
    examined_through = models.BigIntegerField(null=True)
    clean_through = models.BigIntegerField(null=True)

    class Meta:
        indexes = [models.Index(fields=["name", "-id"], name="core_auditresult_newest")]

    def __str__(self) -> str:
        return self.name


class AttemptBucket(models.Model):
    """How often something was attempted, where Redis cannot count it; `full_at` in microseconds of the epoch.

    A row is worth something until that moment, and is pruned after it.
    """

    name = models.CharField(max_length=160, primary_key=True)
    full_at = models.BigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["full_at"], name="core_attemptbucket_full")]

    def __str__(self) -> str:
        return self.name


class Figure(models.Model):
    """What a figure of the console's first page was: one row for each quarter of an hour, or for each hour.

    The newest row is what the page shows for a while; the older ones are what it is compared with.
    """

    pk = models.CompositePrimaryKey("name", "slot")
    name = models.CharField(max_length=48)
    slot = models.DateTimeField()
    data = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        # By which old rows are found.
        indexes = [models.Index(fields=["slot"], name="core_figure_slot")]
