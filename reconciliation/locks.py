"""Row locks of reconciliation, in one order: source, file, statements by id, run, clearing of a merchant,
breaks by id and what is proposed for them, day; approvals come after them.

Who publishes holds the lock of the source: of its files one is published at a time.
"""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db import connection

from core.errors import NotFound
from core.transactions import requires_transaction
from reconciliation.errors import SourceUnknown
from reconciliation.models import (
    Adjustment,
    BankStatement,
    BreakRule,
    DayClose,
    Discrepancy,
    Match,
    ReconciliationRun,
    SettlementFile,
    SettlementSource,
)

__all__ = [
    "lock_clearing",
    "lock_day",
    "lock_discrepancies",
    "lock_file",
    "lock_files",
    "lock_matches",
    "lock_proposals",
    "lock_rules",
    "lock_run",
    "lock_run_of",
    "lock_source",
    "lock_statement",
    "lock_statements",
    "lock_sums",
]


@requires_transaction
def lock_source(*, source_id: UUID) -> SettlementSource:
    """Lock one source. Raises SourceUnknown."""
    row = SettlementSource.objects.select_for_update(no_key=True, of=("self",)).filter(pk=source_id).first()
    if row is None:
        raise SourceUnknown()
    return row


@requires_transaction
def lock_file(*, file_id: UUID) -> SettlementFile:
    """Lock one file, after its source where that is locked. Raises NotFound."""
    row = SettlementFile.objects.select_for_update(no_key=True, of=("self",)).filter(pk=file_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_files(*, source_id: UUID, document: str, states: tuple[str, ...]) -> list[SettlementFile]:
    """Lock the files about a document of a locked source that are in one of these states, oldest first."""
    rows = SettlementFile.objects.select_for_update(no_key=True, of=("self",))
    return list(rows.filter(source_id=source_id, document=document, status__in=states).order_by("pk"))


@requires_transaction
def lock_statement(*, statement_id: UUID) -> BankStatement:
    """Lock one statement, after its source. Raises NotFound."""
    row = BankStatement.objects.select_for_update(no_key=True, of=("self",)).filter(pk=statement_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_statements(
    *, source_id: UUID, states: tuple[str, ...], account: str | None = None, document: str | None = None
) -> list[BankStatement]:
    """Lock the statements of a locked source in these states, of one account or document if given."""
    rows = BankStatement.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.filter(source_id=source_id, status__in=states)
    rows = rows if account is None else rows.filter(account=account)
    rows = rows if document is None else rows.filter(document=document)
    return list(rows.order_by("pk"))


@requires_transaction
def lock_run(*, run_id: UUID) -> ReconciliationRun:
    """Lock one run, after its source. Raises NotFound."""
    row = ReconciliationRun.objects.select_for_update(no_key=True, of=("self",)).filter(pk=run_id).first()
    if row is None:
        raise NotFound()
    return row


@requires_transaction
def lock_discrepancies(*, ids: Collection[UUID]) -> list[Discrepancy]:
    """Lock breaks, in the order of their keys."""
    rows = Discrepancy.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=ids)
    return list(rows.order_by("pk"))


@requires_transaction
def lock_proposals(*, discrepancies: Collection[UUID]) -> list[Adjustment]:
    """Lock what is proposed for breaks, after the breaks."""
    rows = Adjustment.objects.select_for_update(no_key=True, of=("self",))
    return list(rows.filter(discrepancy_id__in=discrepancies, status="PROPOSED").order_by("pk"))


@requires_transaction
def lock_rules(*, merchant_id: UUID, name: str) -> list[BreakRule]:
    """Lock every version of a merchant's rule, by version."""
    rows = BreakRule.objects.select_for_update(no_key=True, of=("self",))
    return list(rows.filter(merchant_id=merchant_id, name=name).order_by("version"))


@requires_transaction
def lock_matches(*, match: Match) -> list[Match]:
    """Lock the live matches of a match's line, and of its group, in the order of their keys."""
    rows = Match.objects.select_for_update(no_key=True).filter(live=True, side=match.side)
    together = rows.filter(line_id=match.line_id)
    if match.group_key:
        together = together | rows.filter(
            subject_id=match.subject_id, group_key=match.group_key, line_id__isnull=False
        )
    return list(together.order_by("pk"))


@requires_transaction
def lock_sums(*, names: Collection[str]) -> None:
    """Hold sums that nobody else may add to until the commit, in the order of their names."""
    with connection.cursor() as cursor:
        for name in sorted(names):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


@requires_transaction
def lock_clearing(*, merchant_id: UUID) -> None:
    """Wait until nobody else ages the clearing accounts of a merchant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('clearing:' || %s, 0))", [str(merchant_id)]
        )


@requires_transaction
def lock_day(*, merchant_id: UUID, day: date) -> DayClose | None:
    """Lock the close of one day; None when nobody has begun it."""
    rows = DayClose.objects.select_for_update(no_key=True, of=("self",))
    return rows.filter(merchant_id=merchant_id, day=day).first()


@requires_transaction
def lock_run_of(*, file_id: UUID) -> ReconciliationRun | None:
    """Lock the run of a file, after its source; None when it has none yet."""
    return (
        ReconciliationRun.objects.select_for_update(no_key=True, of=("self",)).filter(file_id=file_id).first()
    )
