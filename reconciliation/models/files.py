"""Files as they were received, and what became of them."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q, Value
from django.db.models.expressions import Func

from core.fsm import StateField, StatefulModel, transition
from core.ids import public_id, uuid7
from core.models import WorkRow
from reconciliation.models.sources import SettlementSource
from reconciliation.states import FILE, FILE_LIVE

__all__ = ["LineChange", "SettlementCover", "SettlementFile", "SettlementFilePart"]


class SettlementFile(StatefulModel, WorkRow):
    """One body that a source sent; its work is to be staged and published.

    No body is stored twice (I34). `document` says what it is about: "2026-11-30", "batch:238"; another body
    about the same is a new `version`, and of the versions of a document one counts at most. `number` is short
    and unique: lines carry it in their ids. `staged_lines` is how far staging has come, so that a restart
    goes on from there; `totals` is what was declared and what was counted, by currency.
    """

    machine = FILE
    objects: ClassVar[models.Manager["SettlementFile"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    number = models.BigIntegerField(
        unique=True, db_default=Func(Value("reconciliation_file_number"), function="nextval")
    )
    merchant_id = models.UUIDField()
    source = models.ForeignKey(
        SettlementSource, on_delete=models.PROTECT, related_name="files", db_index=False
    )
    name = models.CharField(max_length=200)
    sha256 = models.BinaryField(max_length=32)
    size = models.BigIntegerField()
    packing = models.CharField(max_length=8, blank=True)  # "" | gzip | zip: how it came
    origin = models.CharField(max_length=16)  # the fetcher, or "upload"
    received_by = models.CharField(max_length=80)
    # The period that it was asked for, where the file itself does not say.
    asked_from = models.DateField(null=True)
    asked_to = models.DateField(null=True)
    # What the provider said of it elsewhere when it was fetched: figures as in Control.
    declared = models.JSONField(default=list)
    document = models.CharField(max_length=80, blank=True)
    version = models.IntegerField(null=True)
    supersedes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    sequence = models.BigIntegerField(null=True)
    period_from = models.DateField(null=True)
    period_to = models.DateField(null=True)
    status = StateField(FILE)
    staged_lines = models.IntegerField(default=0)
    lines_count = models.IntegerField(null=True)
    quarantined_count = models.IntegerField(default=0)
    totals = models.JSONField(default=dict)
    # Why it was refused: {"code", "line", "message"}.
    refusal = models.JSONField(null=True)
    received_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "source", "sha256"], name="reconciliation_body_once"
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "source", "document"],
                condition=Q(status__in=FILE_LIVE) & ~Q(document=""),
                name="reconciliation_one_live_version",
            ),
            models.UniqueConstraint(
                fields=["merchant_id", "source", "document", "version"],
                condition=Q(version__isnull=False),
                name="reconciliation_version_once",
            ),
            models.UniqueConstraint(fields=["merchant_id", "id"], name="reconciliation_file_owner"),
            models.CheckConstraint(
                condition=Q(status__in=["RECEIVED", "STAGING", "REFUSED"])
                | Q(lines_count__isnull=False, version__isnull=False),
                name="reconciliation_file_is_known_when_staged",
            ),
            models.CheckConstraint(
                condition=~Q(status="REFUSED") | Q(refusal__isnull=False),
                name="reconciliation_refused_because",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="reconciliation_file_due", condition=Q(due_at__isnull=False)
            ),
            models.Index(fields=["source", "period_to"], name="reconciliation_file_period"),
            models.Index(fields=["merchant_id", "-id"], name="reconciliation_file_list"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def public_id(self) -> str:
        """The id shown outside."""
        return public_id("stl", self.id)

    @transition(FILE, status, "STAGING")
    def to_staging(self) -> None:
        """Somebody has begun to read it."""

    @transition(FILE, status, "PUBLISHED")
    def to_published(self, *, published_at: datetime, **known: Any) -> None:
        """All of it is staged, and adds up: from now on it counts."""
        self._set(known)
        self.published_at, self.due_at, self.leased_until = published_at, None, None

    @transition(FILE, status, "PROVISIONAL")
    def to_provisional(self, **known: Any) -> None:
        """It adds up, but its period is not over: it is shown, and fetched again."""
        self._set(known)
        self.due_at, self.leased_until = None, None

    @transition(FILE, status, "DUPLICATE")
    def to_duplicate(self, *, sweep_at: datetime, **known: Any) -> None:
        """It says what is known already, in other bytes: whoever has the lease takes its lines away."""
        self._set(known)
        self.due_at = sweep_at

    @transition(FILE, status, "REFUSED")
    def to_refused(self, *, code: str, line: int | None, message: str, sweep_at: datetime) -> None:
        """It contradicts itself, or is not what it should be: nothing of it counts, its lines go."""
        self.refusal = {"code": code, "line": line, "message": message[:500]}
        self.due_at = sweep_at

    @transition(FILE, status, "SUPERSEDED")
    def to_superseded(self) -> None:
        """A later version counts in its place."""

    @transition(FILE, status, "RECEIVED")
    def to_received(self, *, due_at: datetime, is_doubted: bool = False) -> None:
        """It is to be read again, from its beginning; `is_doubted`: what it is held against may be wrong."""
        self.due_at, self.attempts, self.staged_lines = due_at, 0, 0
        self.document, self.lines_count, self.refusal = "", None, None
        self.totals = {"is_doubted": True} if is_doubted else {}

    def _set(self, known: dict[str, Any]) -> None:
        """Set what staging found out: document, version, supersedes, sequence, period, counts and totals."""
        allowed = {
            "document", "version", "supersedes_id", "sequence", "period_from", "period_to",
            "lines_count", "quarantined_count", "totals",
        }  # fmt: skip
        unknown = set(known) - allowed
        if unknown:
            raise TypeError(f"not a fact about a file: {', '.join(sorted(unknown))}")
        for name, value in known.items():
            setattr(self, name, value)

    @property
    def days(self) -> tuple[date, date] | None:
        """The first and the last business day that it is about, when known."""
        first, last = self.period_from or self.asked_from, self.period_to or self.asked_to
        return (first, last) if first and last else None


class SettlementFilePart(models.Model):
    """A piece of a body as it was received, byte for byte; append-only.

    Kept in the database, because it is the evidence that every posting of the file goes back to.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    file = models.ForeignKey(SettlementFile, on_delete=models.PROTECT, related_name="parts", db_index=False)
    position = models.IntegerField()
    content = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "position"], name="reconciliation_part_once")]


class SettlementCover(models.Model):
    """A day of which a file without lines says the same as of its own: that nothing happened; append-only.

    The provider sent the very same bytes for that day, and no body is stored twice (I34).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    file = models.ForeignKey(SettlementFile, on_delete=models.PROTECT, related_name="covers", db_index=False)
    day = models.DateField()
    name = models.CharField(max_length=200)  # what the body was called this time
    covered_by = models.CharField(max_length=80)
    covered_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["file", "day"], name="reconciliation_cover_once")]


class LineChange(models.Model):
    """How a version of a document differs from the one before it: one line that is new, gone or other.

    `before` and `after` are ids of lines. `what` names the fields that differ. Append-only.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    file = models.ForeignKey(SettlementFile, on_delete=models.PROTECT, related_name="changes", db_index=False)
    kind = models.CharField(max_length=8)  # added | removed | changed
    before = models.BigIntegerField(null=True)
    after = models.BigIntegerField(null=True)
    what = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="added", before__isnull=True, after__isnull=False)
                | Q(kind="removed", before__isnull=False, after__isnull=True)
                | Q(kind="changed", before__isnull=False, after__isnull=False),
                name="reconciliation_change_names_its_lines",
            )
        ]
        # Posting takes back and adds lines range by range.
        indexes = [
            models.Index(fields=["file", "before"], name="reconciliation_change_before"),
            models.Index(fields=["file", "after"], name="reconciliation_change_after"),
        ]
