"""Row locks of reconciliation, in one order: source, file, statement, run, discrepancy, adjustment, day.

What pay-in and pay-out lock comes before, wallets and postings come after (see DESIGN's order).
"""

from uuid import UUID

from core.errors import NotFound
from core.transactions import requires_transaction
from reconciliation.models import ReconciliationRun

__all__ = ["lock_run"]


@requires_transaction
def lock_run(*, run_id: UUID) -> ReconciliationRun:
    """Lock one run. Raises NotFound."""
    row = ReconciliationRun.objects.select_for_update(no_key=True, of=("self",)).filter(pk=run_id).first()
    if row is None:
        raise NotFound()
    return row
