"""Sources are set up and changed: each change with who, why, and what was before."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from core import clock
from core.audit_trail import record_audit, required_reason
from core.transactions import UNIQUE_VIOLATION, requires_transaction, sqlstate
from merchants.selectors import get_merchant
from reconciliation.errors import SourceExists, SourceInvalid, SourceUnknown
from reconciliation.locks import lock_source
from reconciliation.models import SettlementFile, SettlementSource
from reconciliation.sources.checking import books_of, check_settings, checked_name
from reconciliation.sources.reading import to_data
from reconciliation.sources.types import SourceData, SourceSettings

__all__ = ["change_source", "create_source", "set_source_enabled"]

# What its files are about: other answers make another source.
_FIXED = ("kind", "provider", "account", "currency")


@requires_transaction
def create_source(
    *, merchant_id: UUID, name: str, settings: SourceSettings, by: str, reason: str
) -> SourceData:
    """Set up a source, switched on. Raises NotFound (no such merchant), SourceInvalid, SourceExists,
    ReasonRequired.
    """
    reason = required_reason(reason)
    get_merchant(merchant_id=merchant_id)
    checked_name(name)
    check_settings(merchant_id, settings)
    now = clock.now()
    row = SettlementSource(
        merchant_id=merchant_id,
        name=name,
        books=books_of(merchant_id, settings),
        created_at=now,
        updated_at=now,
        **asdict(settings),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError as error:
        if sqlstate(error) == UNIQUE_VIOLATION:
            raise SourceExists(param="name") from error
        raise
    made = to_data(row)
    _audit(made, "settlement_source.create", by=by, reason=reason, detail={"to": _shown(settings)})
    return made


@requires_transaction
def change_source(
    *, merchant_id: UUID, source_id: UUID, settings: SourceSettings, by: str, reason: str
) -> SourceData:
    """Change what a source is set up with; what its files are about stays once it has files.

    Files that were received keep what was made of them. Raises SourceUnknown, SourceInvalid, ReasonRequired.
    """
    reason = required_reason(reason)
    row = _locked(merchant_id, source_id)
    before = to_data(row)
    check_settings(merchant_id, settings)
    _check_fixed(before, settings)
    for name, value in asdict(settings).items():
        setattr(row, name, value)
    _keep_books(row, books_of(merchant_id, settings))
    row.updated_at = clock.now()
    row.save(update_fields=[*asdict(settings), "books", "updated_at"])
    after = to_data(row)
    detail = {"from": _shown(before.settings), "to": _shown(settings)}
    _audit(after, "settlement_source.change", by=by, reason=reason, detail=detail)
    return after


@requires_transaction
def set_source_enabled(
    *, merchant_id: UUID, source_id: UUID, is_enabled: bool, by: str, reason: str
) -> SourceData:
    """Switch a source on or off. One that is off is not fetched from, and no file of it is expected.

    On again, the days in between are made up for. Raises SourceUnknown, ReasonRequired.
    """
    reason = required_reason(reason)
    row = _locked(merchant_id, source_id)
    row.is_enabled, row.updated_at = is_enabled, clock.now()
    row.save(update_fields=["is_enabled", "updated_at"])
    changed = to_data(row)
    action = "settlement_source.enable" if is_enabled else "settlement_source.disable"
    _audit(changed, action, by=by, reason=reason, detail={})
    return changed


def _locked(merchant_id: UUID, source_id: UUID) -> SettlementSource:
    row = lock_source(source_id=source_id)
    if row.merchant_id != merchant_id:
        raise SourceUnknown
    return row


def _check_fixed(before: SourceData, wanted: SourceSettings) -> None:
    changed = [name for name in _FIXED if getattr(before.settings, name) != getattr(wanted, name)]
    if changed and SettlementFile.objects.filter(merchant_id=before.merchant_id, source=before.id).exists():
        raise SourceInvalid("Its files are about this one. Set up another source.", param=changed[0])


def _keep_books(row: SettlementSource, wanted: str) -> None:
    """What files moved stays on its accounts: with files, another channel is another source."""
    if wanted == row.books:
        return
    if SettlementFile.objects.filter(merchant_id=row.merchant_id, source=row).exists():
        raise SourceInvalid("Its files are about another channel's payments.", param="channel")
    row.books = wanted


def _shown(settings: SourceSettings) -> dict[str, Any]:
    return {name: str(value) if value is not None else None for name, value in asdict(settings).items()}


def _audit(source: SourceData, action: str, *, by: str, reason: str, detail: dict[str, Any]) -> None:
    record_audit(
        actor=by,
        action=action,
        subject=source.public_id,
        reason=reason,
        detail={"name": source.name, **detail},
        merchant_id=source.merchant_id,
    )
