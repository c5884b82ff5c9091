"""Single entries, what they are about, and what would take one back."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from django.db.models import Sum

from ledger.errors import CorrectionRefused, EntryUnknown
from ledger.models import Account, JournalEntry, JournalLine
from ledger.types import EntryData, EntryDraft, EntryHead, EntryLine, LineDraft

__all__ = ["correction_draft", "entry_heads", "get_entry", "minor_at_role"]

# The most that is shown of a group; what belongs together is a handful.
_GROUP = 100


def get_entry(*, merchant_id: UUID, entry_id: int) -> EntryData:
    """Return one entry with its lines, its correction and its group. Raises EntryUnknown."""
    entry = _entry(merchant_id, entry_id)
    corrected_by = JournalEntry.objects.filter(corrects=entry_id).values_list("id", flat=True).first()
    group: tuple[int, ...] = ()
    if entry.group_id:
        found = JournalEntry.objects.filter(merchant_id=merchant_id, group_id=entry.group_id)
        group = tuple(found.order_by("id").values_list("id", flat=True)[:_GROUP])
    lines = JournalLine.objects.filter(entry_id=entry_id).select_related("account").order_by("line_no")
    return EntryData(
        id=entry.id,
        merchant_id=entry.merchant_id,
        kind=entry.kind,
        source=entry.source,
        source_ref=entry.source_ref,
        leg=entry.leg,
        effective_date=entry.effective_date,
        original_date=entry.original_date,
        recorded_at=entry.recorded_at,
        corrects=entry.corrects,
        corrected_by=corrected_by,
        group_id=entry.group_id,
        group=group,
        facts=tuple(sorted((entry.facts or {}).items())),
        lines=tuple(_line(line) for line in lines),
    )


def entry_heads(*, merchant_id: UUID, entry_ids: Collection[int]) -> dict[int, EntryHead]:
    """Return what these entries of the merchant are about, by entry; unknown ones are absent."""
    rows = JournalEntry.objects.filter(merchant_id=merchant_id, id__in=entry_ids)
    return {key: EntryHead(*head) for key, *head in rows.values_list("id", "kind", "source", "source_ref")}


def minor_at_role(*, merchant_id: UUID, role: str, entry_ids: Collection[int]) -> dict[int, int]:
    """Return what these entries debited (less what they credited) to accounts of a role, in minor units.

    By entry; those without such a line are absent.
    """
    accounts = Account.objects.filter(merchant_id=merchant_id, role=role).values_list("id", flat=True)
    lines = JournalLine.objects.filter(account_id__in=list(accounts), entry_id__in=entry_ids)
    sums = lines.values_list("entry_id").annotate(total=Sum("amount_minor"))
    return {entry_id: int(total) for entry_id, total in sums}


def _line(line: JournalLine) -> EntryLine:
    return EntryLine(
        line_no=line.line_no,
        account_id=line.account_id,
        role=line.account.role,
        owner=line.account.owner,
        provider=line.account.provider,
        currency=line.currency,
        debit_minor=max(line.amount_minor, 0),
        credit_minor=max(-line.amount_minor, 0),
        clearing_key=line.clearing_key,
    )


def _entry(merchant_id: UUID, entry_id: int) -> JournalEntry:
    entry = JournalEntry.objects.filter(merchant_id=merchant_id, id=entry_id).first()
    if entry is None:
        raise EntryUnknown()
    return entry


def correction_draft(*, merchant_id: UUID, entry_id: int, effective_date: date, reason: str) -> EntryDraft:
    """Return the entry that takes back another one: its exact inverse, to be posted through either door.

    Raises EntryUnknown, CorrectionRefused for a correction. Its key follows from the entry, so that the
    same correction again is the same entry; the books refuse a second one under any other key.
    """
    entry = _entry(merchant_id, entry_id)
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
