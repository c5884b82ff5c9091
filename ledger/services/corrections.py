"""Taking entries back: by new entries that are their exact inverse."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from core.audit_trail import record_audit, required_reason
from core.transactions import requires_transaction
from ledger.errors import AlreadyCorrected, EntryConflict
from ledger.selectors import correction_draft
from ledger.services.periods import land_entries
from ledger.services.posting import post_entries
from ledger.templates.groups import linked
from ledger.types import EntryRef

__all__ = ["correct_entries"]


@requires_transaction
def correct_entries(
    *, merchant_id: UUID, entry_ids: Sequence[int], effective_date: date, reason: str, actor: str
) -> list[EntryRef]:
    """Take back entries that touch no wallet, all or none; return the corrections in order.

    The same call again is the same corrections; a correction whose day is closed goes to the next open day
    and keeps its own date. Raises ReasonRequired, EntryUnknown, AlreadyCorrected,
    CorrectionRefused for a correction of a correction or a date before the entry's own, and AccountGuarded
    when an entry touches a wallet: such a correction is posted by the wallet, from `correction_draft`.
    """
    reason = required_reason(reason)
    drafts = [
        correction_draft(
            merchant_id=merchant_id, entry_id=entry_id, effective_date=effective_date, reason=reason
        )
        for entry_id in entry_ids
    ]
    try:
        landed = land_entries(drafts=linked(drafts=drafts) if len(drafts) > 1 else drafts)
        refs = post_entries(drafts=landed)
    except EntryConflict as error:
        raise AlreadyCorrected() from error
    for entry_id, ref in zip(entry_ids, refs, strict=True):
        if ref.is_new:
            record_audit(
                actor=actor,
                action="entry.correct",
                subject=str(entry_id),
                reason=reason,
                detail={"correction": ref.id},
                merchant_id=merchant_id,
            )
    return refs
