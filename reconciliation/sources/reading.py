"""Sources as others read them."""

from dataclasses import fields
from uuid import UUID

from reconciliation.errors import SourceUnknown
from reconciliation.models import SettlementSource
from reconciliation.sources.types import SourceData, SourceSettings

__all__ = ["enabled_sources", "find_source", "get_source", "list_sources", "to_data"]

_SETTINGS = tuple(each.name for each in fields(SourceSettings))


def get_source(*, merchant_id: UUID, source_id: UUID) -> SourceData:
    """Return one source of a merchant. Raises SourceUnknown."""
    row = SettlementSource.objects.filter(merchant_id=merchant_id, pk=source_id).first()
    if row is None:
        raise SourceUnknown
    return to_data(row)


def find_source(*, merchant_id: UUID, name: str) -> SourceData:
    """Return the merchant's source of this name. Raises SourceUnknown."""
    row = SettlementSource.objects.filter(merchant_id=merchant_id, name=name).first()
    if row is None:
        raise SourceUnknown
    return to_data(row)


def list_sources(*, merchant_id: UUID) -> list[SourceData]:
    """Return all sources of a merchant by name, also those that are switched off."""
    return [to_data(row) for row in SettlementSource.objects.filter(merchant_id=merchant_id).order_by("name")]


def enabled_sources(*, limit: int = 1000) -> list[SourceData]:
    """Return the sources of every merchant that are switched on, oldest first."""
    rows = SettlementSource.objects.filter(is_enabled=True).order_by("pk")
    return [to_data(row) for row in rows[:limit]]


def to_data(row: SettlementSource) -> SourceData:
    """Return what others may see of a source."""
    return SourceData(
        id=row.pk,
        merchant_id=row.merchant_id,
        name=row.name,
        is_enabled=row.is_enabled,
        settings=SourceSettings(**{name: getattr(row, name) for name in _SETTINGS}),
    )
