"""Row locks of reconciliation, in one order: source, file, statements by id; approvals come after them.

Who publishes holds the lock of the source: of its files one is published at a time.
"""

from uuid import UUID

from core.errors import NotFound
from core.transactions import requires_transaction
from reconciliation.errors import SourceUnknown
from reconciliation.models import BankStatement, SettlementFile, SettlementSource

__all__ = ["lock_file", "lock_files", "lock_source", "lock_statement", "lock_statements"]


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
