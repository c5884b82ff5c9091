"""Single entries, and what would take one back."""

from datetime import date
from uuid import UUID

from ledger.errors import CorrectionRefused, EntryUnknown
from ledger.models import JournalEntry, JournalLine
from ledger.types import EntryDraft, LineDraft

__all__ = ["correction_draft"]


def correction_draft(*, merchant_id: UUID, entry_id: int, effective_date: date, reason: str) -> EntryDraft:
    """Return the entry that takes back another one: its exact inverse, to be posted through either door.

    Raises EntryUnknown, CorrectionRefused for a correction. Its key follows from the entry, so that the
    same correction again is the same entry; the books refuse a second one under any other key.
    """
    entry = JournalEntry.objects.filter(merchant_id=merchant_id, id=entry_id).first()
    if entry is None:
        raise EntryUnknown()
    if entry.corrects is not None:
        raise CorrectionRefused()
    lines = JournalLine.objects.filter(entry_id=entry_id).order_by("line_no")
    return EntryDraft(
        merchant_id=merchant_id,
        kind="correction",
        source="correction",
        source_ref=str(entry_id),
        leg="main",
        effective_date=effective_date,
        lines=tuple(
            LineDraft(line.account_id, -line.amount_minor, line.currency, line.clearing_key) for line in lines
        ),
        corrects=entry_id,
        facts=(("reason", reason),),
    )
