"""Runs for the console: what became of each file, and what is still on its way to the bank."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection

from core.errors import NotFound
from core.models import StatusChange
from ledger.selectors import open_keys
from reconciliation.models import LINE_BITS, ReconciliationRun
from reconciliation.posting.keys import batch_key
from reconciliation.resolving.types import HistoryData

__all__ = ["BatchInTransit", "RunAtDesk", "RunPage", "run_at_desk", "runs_at_desk"]

_MOST_BATCHES = 100
_HISTORY = 50
_BATCHES = """
    SELECT batch, currency, sum(net_minor) FILTER (WHERE kind NOT IN ('payout', 'payout_reversal'))::bigint,
        -sum(net_minor) FILTER (WHERE kind IN ('payout', 'payout_reversal'))::bigint
    FROM reconciliation_settlementline WHERE id >= %(first)s AND id < %(end)s
    GROUP BY batch, currency ORDER BY batch, currency LIMIT %(most)s
"""


@dataclass(frozen=True)
class RunAtDesk:
    """The run of a file: how far it came, and what it found. `counts` is as matching wrote it."""

    id: UUID
    merchant_id: UUID
    source_name: str
    file_id: UUID
    file_public_id: str
    file_name: str
    version: int | None
    lines_count: int | None
    days: tuple[date, date] | None
    status: str
    counts: Mapping[str, Any]
    error: str
    covered_to: date | None
    rules_version: str
    attempts: int
    posted_chunks: int
    created_at: datetime
    matched_at: datetime | None
    posted_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True)
class BatchInTransit:
    """One payout of a provider: what the file's lines are together, what the file says was paid out (None:
    nothing yet), and what the books have in transit for it now. Minor units.
    """

    batch: str
    currency: str
    lines_minor: int
    paid_minor: int | None
    in_transit_minor: int


@dataclass(frozen=True)
class RunPage:
    """A run with its batches and its history. `is_cut` says that there are more batches than these."""

    run: RunAtDesk
    batches: tuple[BatchInTransit, ...]
    is_cut: bool
    history: tuple[HistoryData, ...]


def runs_at_desk(*, status: str = "", before: UUID | None = None, limit: int = 50) -> list[RunAtDesk]:
    """Return runs, newest first, those before a key, in one state if given."""
    rows = ReconciliationRun.objects.select_related("source", "file")
    rows = rows.filter(status=status) if status else rows
    rows = rows.filter(pk__lt=before) if before else rows
    return [_run(row) for row in rows.order_by("-pk")[:limit]]


def run_at_desk(*, run_id: UUID) -> RunPage:
    """Return one run with what is in transit for each batch of its file. Raises NotFound."""
    row = ReconciliationRun.objects.select_related("source", "file").filter(pk=run_id).first()
    if row is None:
        raise NotFound()
    batches = _batches(row)
    history = StatusChange.objects.filter(
        subject_type=ReconciliationRun._meta.label_lower, subject_id=row.pk
    ).order_by("pk")[:_HISTORY]
    return RunPage(
        _run(row),
        tuple(batches[:_MOST_BATCHES]),
        len(batches) > _MOST_BATCHES,
        tuple(
            HistoryData(each.from_state, each.to_state, each.reason, each.actor, each.recorded_at)
            for each in history
        ),
    )


def _run(row: ReconciliationRun) -> RunAtDesk:
    same = (
        "id", "merchant_id", "file_id", "status", "counts", "error", "covered_to", "rules_version",
        "attempts", "posted_chunks", "created_at", "matched_at", "posted_at", "finished_at",
    )  # fmt: skip
    return RunAtDesk(
        **{name: getattr(row, name) for name in same},
        source_name=row.source.name,
        file_public_id=row.file.public_id,
        file_name=row.file.name,
        version=row.file.version,
        lines_count=row.file.lines_count,
        days=row.file.days,
    )


def _batches(row: ReconciliationRun) -> list[BatchInTransit]:
    first = row.file.number << LINE_BITS
    with connection.cursor() as cursor:
        cursor.execute(_BATCHES, {"first": first, "end": first + (1 << LINE_BITS), "most": _MOST_BATCHES + 1})
        found = cursor.fetchall()
    # What the file names no payout for is posted under the name of its document.
    named = [(batch or row.file.document, *figures) for batch, *figures in found]
    in_transit = _in_transit(row, {(batch, currency) for batch, currency, _, _ in named})
    return [
        BatchInTransit(batch, currency, lines or 0, paid, in_transit.get((batch, currency), 0))
        for batch, currency, lines, paid in named
    ]


def _in_transit(row: ReconciliationRun, batches: set[tuple[str, str]]) -> dict[tuple[str, str], int]:
    found = {}
    for currency in {each for _, each in batches}:
        of_currency = [batch for batch, each in batches if each == currency]
        names = {batch_key(source_id=row.source_id, batch=batch): batch for batch in of_currency}
        for each in open_keys(
            merchant_id=row.merchant_id,
            role="psp_settlement_in_transit",
            currency=currency,
            keys=list(names),
        ):
            found[names[each.key], currency] = each.balance_minor
    return found
