"""What was found to be the same: lines of files, and what the books expect."""

from datetime import date, datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from core.models import WorkRow
from reconciliation.models.files import SettlementFile
from reconciliation.models.sources import SettlementSource
from reconciliation.states import RUN

__all__ = ["Match", "MatchEnd", "ReconciliationRun"]


class ReconciliationRun(StatefulModel, WorkRow):
    """The matching and posting of one file; its work is to be done.

    `posted_chunks` is how far posting has come, so that a restart goes on from there; `proven_through` is the
    last line whose charge pay-in was told of. `counts` says, by class and by way of matching, how many lines
    ended where.
    """

    machine = RUN
    objects: ClassVar[models.Manager["ReconciliationRun"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    source = models.ForeignKey(SettlementSource, on_delete=models.PROTECT, related_name="+", db_index=False)
    file = models.OneToOneField(SettlementFile, on_delete=models.PROTECT, related_name="run")
    status = StateField(RUN)
    rules_version = models.CharField(max_length=64, blank=True)
    # Through which day of the provider movements without a line were noted as expected.
    covered_to = models.DateField(null=True)
    posted_chunks = models.IntegerField(default=0)
    proven_through = models.BigIntegerField(default=0)
    counts = models.JSONField(default=dict)
    error = models.CharField(max_length=500, blank=True)
    created_at = models.DateTimeField()
    matched_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], name="reconciliation_run_due", condition=Q(due_at__isnull=False))
        ]

    @transition(RUN, status, "MATCHED")
    def to_matched(
        self,
        *,
        matched_at: datetime,
        counts: dict[str, Any],
        rules_version: str,
        covered_to: date | None,
        due_at: datetime | None,
    ) -> None:
        """Every line of the file ended in a match or in a break."""
        self.matched_at, self.counts, self.rules_version = matched_at, counts, rules_version
        self.covered_to = covered_to
        self.due_at, self.leased_until, self.attempts, self.error = due_at, None, 0, ""

    @transition(RUN, status, "POSTED")
    def to_posted(self, *, posted_at: datetime | None = None, due_at: datetime | None = None) -> None:
        """The books have all of the file."""
        self.posted_at = posted_at or self.posted_at
        self.due_at, self.leased_until, self.attempts, self.error = due_at, None, 0, ""

    @transition(RUN, status, "DONE")
    def to_done(self, *, finished_at: datetime) -> None:
        """Pay-in knows what the file proves."""
        self.finished_at, self.due_at, self.leased_until, self.error = finished_at, None, None, ""

    @transition(RUN, status, "MATCHED")
    def back_to_matched(self, *, due_at: datetime) -> None:
        """A person lets its posting go on."""
        self.due_at, self.attempts = due_at, 0

    @transition(RUN, status, "POSTED")
    def back_to_posted(self, *, due_at: datetime) -> None:
        """A person lets pay-in be told of the rest."""
        self.due_at, self.attempts = due_at, 0

    @transition(RUN, status, "FAILED")
    def to_failed(self, *, error: str) -> None:
        """It cannot go on by itself."""
        self.error, self.due_at, self.leased_until = error[:500], None, None

    @transition(RUN, status, "QUEUED")
    def to_queued(self, *, due_at: datetime) -> None:
        """A person lets it try again; or more of its file counts now than when it was done."""
        self.due_at, self.attempts = due_at, 0


class Match(models.Model):
    """A line of a file and a movement that we know are the same thing; or a movement that waits for its line.

    A movement is (subject_kind, subject_id, nth): what a charge took, a refund, a payout … (see the views of
    pay-in and pay-out). While `live`, a line has one match and a movement has one line (I37); a group is
    several matches of one `group_key`, numbered by `line_part` where one line has several movements, and by
    `movement_part` where one movement has several lines.

    `difference_minor` is the line's amount less the movement's: what an adjustment must explain.
    `clearing_key` is under which key of psp_clearing, in transit … the line clears. Without a line (`how`
    expected) the movement is due until `clear_by`.
    """

    objects: ClassVar[models.Manager["Match"]] = models.Manager()

    id = models.BigAutoField(primary_key=True)
    merchant_id = models.UUIDField()
    source_id = models.UUIDField()
    run_id = models.UUIDField()
    side = models.CharField(max_length=4)
    line_id = models.BigIntegerField(null=True)
    subject_kind = models.CharField(max_length=20)
    subject_id = models.UUIDField()
    nth = models.SmallIntegerField(default=0)
    how = models.CharField(max_length=12)
    rule = models.CharField(max_length=40)
    group_key = models.CharField(max_length=80, blank=True)
    line_part = models.SmallIntegerField(default=0)
    movement_part = models.SmallIntegerField(default=0)
    clearing_key = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    difference_minor = models.BigIntegerField(default=0)
    clear_by = models.DateField(null=True)
    live = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["line_id", "side", "line_part"],
                condition=Q(live=True, line_id__isnull=False),
                name="reconciliation_line_matched_once",
            ),
            models.UniqueConstraint(
                fields=["subject_id", "subject_kind", "nth", "movement_part"],
                condition=Q(live=True),
                name="reconciliation_movement_matched_once",
            ),
            models.CheckConstraint(
                condition=~Q(group_key="") | Q(line_part=0, movement_part=0),
                name="reconciliation_parts_are_of_groups",
            ),
            models.CheckConstraint(
                condition=Q(how="expected", line_id__isnull=True, clear_by__isnull=False)
                | (~Q(how="expected") & Q(line_id__isnull=False)),
                name="reconciliation_expected_has_no_line_yet",
            ),
        ]
        indexes = [
            models.Index(
                fields=["source_id", "clear_by"],
                name="reconciliation_match_expected",
                condition=Q(how="expected", live=True),
            ),
            # What lines of an earlier version were, when they are taken back.
            models.Index(
                fields=["line_id"],
                name="reconciliation_match_ended",
                condition=Q(live=False, line_id__isnull=False),
            ),
        ]


class MatchEnd(models.Model):
    """Why a match does not hold any more: its line came, or somebody took it back. Append-only."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    match = models.OneToOneField(Match, on_delete=models.PROTECT, related_name="end")
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()
