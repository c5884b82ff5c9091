"""Bank statements and their lines."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from core.fsm import StateField, StatefulModel, transition
from core.ids import uuid7
from reconciliation.models.files import SettlementFile
from reconciliation.states import STATEMENT

__all__ = ["BankLine", "BankStatement"]


class BankStatement(StatefulModel):
    """One statement of one bank account; a file may hold many.

    `document` identifies it at the bank (account and number, or account, period and closing balance): of its
    versions one is LIVE at most. opening + lines = closing, or its file is refused. A report without balances
    (camt.052, camt.054, MT942) has none.
    """

    machine = STATEMENT
    objects: ClassVar[models.Manager["BankStatement"]] = models.Manager()

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    merchant_id = models.UUIDField()
    source_id = models.UUIDField()
    file = models.ForeignKey(SettlementFile, on_delete=models.PROTECT, related_name="statements")
    position = models.IntegerField()
    kind = models.CharField(max_length=16)  # statement | report | notification
    account = models.CharField(max_length=64)
    currency = models.CharField(max_length=3)
    document = models.CharField(max_length=120)
    version = models.IntegerField(default=1)
    supersedes = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    sequence = models.BigIntegerField(null=True)
    period_from = models.DateField()
    period_to = models.DateField()
    opening_minor = models.BigIntegerField(null=True)
    closing_minor = models.BigIntegerField(null=True)
    lines_count = models.IntegerField()
    total_minor = models.BigIntegerField()
    status = StateField(STATEMENT)
    held_because = models.CharField(max_length=200, blank=True)
    # Since when each of its lines has its match or its break, and since when the books have them.
    matched_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "position"], name="reconciliation_statement_place"),
            models.UniqueConstraint(
                fields=["merchant_id", "source_id", "document"],
                condition=Q(status="LIVE"),
                name="reconciliation_one_live_statement",
            ),
            models.CheckConstraint(
                condition=Q(opening_minor__isnull=True, closing_minor__isnull=True)
                | Q(closing_minor=F("opening_minor") + F("total_minor")),
                name="reconciliation_statement_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["source_id", "account", "period_to"], name="reconciliation_statement_days")
        ]

    @transition(STATEMENT, status, "LIVE")
    def to_live(self, *, version: int | None = None, supersedes_id: Any = None) -> None:
        """It follows on what is known: it counts."""
        self.version, self.held_because = version or self.version, ""
        self.supersedes_id = supersedes_id or self.supersedes_id

    @transition(STATEMENT, status, "HELD")
    def to_held(self, *, because: str) -> None:
        """It does not follow on what is known: nothing of it counts until the gap is explained."""
        self.held_because = because[:200]

    @transition(STATEMENT, status, "DUPLICATE")
    def to_duplicate(self) -> None:
        """The bank sent again what is known."""

    @transition(STATEMENT, status, "SUPERSEDED")
    def to_superseded(self) -> None:
        """A corrected statement counts in its place."""


class BankLine(models.Model):
    """One line of a bank statement, written by COPY while its file is STAGING, never changed afterwards.

    `amount_minor` is positive for money that comes in. `parent` is null for what the account's balance moved
    by; where the bank tells of the payments inside a collective booking, each is a line with the booking's
    `line_no` as its parent, which does not count again.
    """

    objects: ClassVar[models.Manager["BankLine"]] = models.Manager()

    id = models.BigIntegerField(primary_key=True)
    merchant_id = models.UUIDField()
    file_id = models.UUIDField()
    statement_id = models.UUIDField()
    line_no = models.IntegerField()
    parent = models.IntegerField(null=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    booked_on = models.DateField()
    value_on = models.DateField(null=True)
    bank_reference = models.CharField(max_length=64)
    end_to_end = models.CharField(max_length=64)
    batch_reference = models.CharField(max_length=64)
    code = models.CharField(max_length=40)
    is_reversal = models.BooleanField()
    return_reason = models.CharField(max_length=16)
    counterparty = models.CharField(max_length=140)
    counterparty_account = models.CharField(max_length=64)
    text = models.CharField(max_length=1000)
    quarantine = models.CharField(max_length=24)
