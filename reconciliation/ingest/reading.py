"""Files, lines and statements as others see them: lines that are staged, refused or repeated are not."""

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any
from uuid import UUID

from core.errors import NotFound
from reconciliation.ingest.body import PART_BYTES
from reconciliation.ingest.counting import ids_of
from reconciliation.models import BankLine, BankStatement, LineChange, SettlementFile, SettlementLine
from reconciliation.models import SettlementFilePart as Part
from reconciliation.types import BankLineData, ChangeData, FileData, LineData, StatementData

__all__ = [
    "find_bank_lines",
    "find_lines",
    "get_file",
    "held_statements",
    "list_changes",
    "read_body",
    "statements_of",
]

# What was published is seen for ever, also when a later version counts in its place.
_SEEN = ("PUBLISHED", "PROVISIONAL", "SUPERSEDED")


def get_file(*, file_id: UUID, merchant_id: UUID | None = None) -> FileData:
    """Return a file in whatever state. Raises NotFound, also for another merchant's."""
    file = SettlementFile.objects.select_related("source").filter(pk=file_id).first()
    if file is None or merchant_id not in (None, file.merchant_id):
        raise NotFound()
    given: dict[str, Any] = {
        "source_name": file.source.name,
        "kind": file.source.kind,
        "sha256": bytes(file.sha256).hex(),
    }
    names = [each.name for each in fields(FileData) if each.name not in given]
    return FileData(**given, **{name: getattr(file, name) for name in names})


def find_lines(*, file_id: UUID, after: int = 0, limit: int = 50, reference: str = "") -> list[LineData]:
    """Return lines of a published settlement file in their order, from after this id on.

    With a `reference`, those that it is the reference, the related one, or ours of.
    """
    number = _number(file_id)
    if number is None:
        return []
    rows = SettlementLine.objects.filter(pk__range=ids_of(number), pk__gt=after)
    if reference:
        rows = (
            rows.filter(reference=reference)
            | rows.filter(related=reference)
            | rows.filter(merchant_reference=reference)
        )
    return [LineData(**row) for row in rows.order_by("pk").values(*_names(LineData))[:limit]]


def find_bank_lines(*, statement_id: UUID, after: int = 0, limit: int = 50) -> list[BankLineData]:
    """Return lines of a bank statement of a published file in their order, from after this id on."""
    statement = BankStatement.objects.select_related("file").filter(pk=statement_id).first()
    if statement is None or statement.file.status not in _SEEN:
        return []
    rows = BankLine.objects.filter(pk__range=ids_of(statement.file.number), pk__gt=after)
    rows = rows.filter(statement_id=statement_id)
    return [BankLineData(**row) for row in rows.order_by("pk").values(*_names(BankLineData))[:limit]]


def statements_of(*, file_id: UUID) -> list[StatementData]:
    """Return the bank statements of a file, in their order."""
    return _statements(BankStatement.objects.filter(file_id=file_id).order_by("position"))


def held_statements(*, merchant_ids: list[UUID], limit: int = 50) -> list[StatementData]:
    """Return the statements that do not count because of a gap before them, oldest first."""
    rows = BankStatement.objects.filter(merchant_id__in=merchant_ids, status="HELD")
    return _statements(rows.order_by("period_to", "pk")[:limit])


def list_changes(*, file_id: UUID, limit: int = 200) -> list[ChangeData]:
    """Return how a file differs from the version before it, line by line."""
    rows = LineChange.objects.filter(file_id=file_id).order_by("after", "before")[:limit]
    return [ChangeData(each.kind, each.before, each.after, tuple(each.what)) for each in rows]


def read_body(*, file_id: UUID) -> Iterator[bytes]:
    """Yield a body as it was received, in pieces of at most 1 MiB."""
    position = 0
    parts = Part.objects.filter(file_id=file_id).values_list("content", flat=True)
    while (content := parts.filter(position=position).first()) is not None:
        yield bytes(content)
        if len(content) < PART_BYTES:
            return
        position += 1


def _number(file_id: UUID) -> int | None:
    found = SettlementFile.objects.filter(pk=file_id, status__in=_SEEN)
    return found.values_list("number", flat=True).first()


def _statements(rows: Any) -> list[StatementData]:
    return [StatementData(**row) for row in rows.values(*_names(StatementData))]


@cache
def _names(data: type[Any]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(data))
