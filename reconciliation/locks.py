"""Row locks of reconciliation, in one order: source, file, statement."""

from uuid import UUID

from core.transactions import requires_transaction
from reconciliation.errors import SourceUnknown
from reconciliation.models import SettlementSource

__all__ = ["lock_source"]


@requires_transaction
def lock_source(*, merchant_id: UUID, source_id: UUID) -> SettlementSource:
    """Lock one source of a merchant. Raises SourceUnknown."""
    rows = SettlementSource.objects.select_for_update(of=("self",), no_key=True)
    row = rows.filter(merchant_id=merchant_id, pk=source_id).first()
    if row is None:
        raise SourceUnknown
    return row
