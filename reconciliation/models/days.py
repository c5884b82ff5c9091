"""Days that are closed."""

from datetime import datetime
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from reconciliation.models.sources import SettlementSource
from reconciliation.states import DAY

__all__ = ["DayClose", "DayExcuse"]


class DayClose(StatefulModel):
    """One business day of a merchant's books: what it came to, and who signed it.

    `figures` is all that the report says; `digest` is of them. Signed, neither changes.
    """

    machine = DAY
    objects: ClassVar[models.Manager["DayClose"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    day = models.DateField()
    status = StateField(DAY)
    figures = models.JSONField(default=dict)
    digest = models.BinaryField(max_length=32, null=True)
    prepared_by = models.CharField(max_length=80, blank=True)
    prepared_at = models.DateTimeField(null=True)
    closed_by = models.CharField(max_length=80, blank=True)
    closed_at = models.DateTimeField(null=True)
    period_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "day closes"
        constraints = [
            models.UniqueConstraint(fields=["merchant_id", "day"], name="reconciliation_day_once"),
            models.CheckConstraint(
                condition=~Q(status="CLOSED")
                | (
                    Q(digest__isnull=False, period_id__isnull=False, closed_at__isnull=False)
                    & ~Q(closed_by="")
                    & ~Q(prepared_by="")
                ),
                name="reconciliation_closed_day_is_signed",
            ),
        ]

    @transition(DAY, status, "PREPARED")
    def to_prepared(
        self, *, figures: dict[str, Any], digest: bytes, prepared_by: str, prepared_at: datetime
    ) -> None:
        """Its figures stand still, and a second person is asked to sign them."""
        self.figures, self.digest = figures, digest
        self.prepared_by, self.prepared_at = prepared_by, prepared_at

    @transition(DAY, status, "OPEN")
    def to_open(self) -> None:
        """Something changed, or the second person said no."""

    @transition(DAY, status, "CLOSED")
    def to_closed(self, *, closed_by: str, closed_at: datetime, period_id: Any) -> None:
        """Signed: it does not change any more."""
        self.closed_by, self.closed_at, self.period_id = closed_by, closed_at, period_id


class DayExcuse(models.Model):
    """Why a day may be closed without a source's file about it; append-only."""

    objects: ClassVar[models.Manager["DayExcuse"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    source = models.ForeignKey(SettlementSource, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    reason = models.CharField(max_length=500)
    by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["merchant_id", "day", "source"], name="reconciliation_excused_once"
            )
        ]
