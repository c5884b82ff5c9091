"""Telling pay-in what a file, or a bank's credit, proves: which captures were reported, or banked."""

from collections.abc import Sequence
from typing import Literal
from uuid import UUID

from django.db import connection

from core import clock
from core.history import move
from core.transactions import at_edge, forbids_transaction, requires_transaction
from payments.services import mark_proven
from reconciliation.leases import renew_lease
from reconciliation.locks import lock_run
from reconciliation.models import ReconciliationRun
from reconciliation.models.lines import LINE_BITS

__all__ = ["prove_batch", "prove_file"]

# Orders whose shares are locked at once.
_AT_ONCE = 1000
# Charges that a file's lines were matched to, line by line.
_CHARGES = """
    SELECT match.line_id, match.subject_id FROM reconciliation_match AS match
    WHERE match.side = 'psp' AND match.live AND match.subject_kind = 'charge'
        AND match.line_id > %(after)s AND match.line_id BETWEEN %(first)s AND %(last)s
    ORDER BY match.line_id, match.id LIMIT %(limit)s
"""


@forbids_transaction
def prove_file(*, run_id: UUID, fence: int) -> None:
    """Tell pay-in that the charges of a POSTED run's file are reported, and end the run.

    In portions; a restart goes on with the next one, and telling twice changes nothing.
    """
    while at_edge(_prove_portion)(run_id, fence):
        pass


@requires_transaction
def prove_batch(
    *, merchant_id: UUID, charge_ids: Sequence[UUID], level: Literal["reported", "banked"]
) -> int:
    """Tell pay-in of some charges; return for how many orders that is new."""
    return mark_proven(merchant_id=merchant_id, charge_ids=charge_ids, level=level)


def _prove_portion(run_id: UUID, fence: int) -> bool:
    # Pay-in's rows come before ours in the order of locks: the run is looked at first and locked last.
    run = ReconciliationRun.objects.select_related("file").get(pk=run_id)
    if run.fence != fence or run.status != "POSTED":
        return False
    first = run.file.number << LINE_BITS
    params = {
        "after": run.proven_through,
        "first": first,
        "last": first + (1 << LINE_BITS) - 1,
        "limit": _AT_ONCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_CHARGES, params)
        rows = cursor.fetchall()
    if rows:
        charges = sorted({charge_id for _, charge_id in rows})
        prove_batch(merchant_id=run.merchant_id, charge_ids=charges, level="reported")
    row = lock_run(run_id=run_id)
    if row.fence != fence or row.status != "POSTED":
        return False
    if len(rows) < _AT_ONCE:
        move(row, row.to_done, why="pay-in was told", finished_at=clock.now())
        return False
    row.proven_through = rows[-1][0]
    row.save(update_fields=["proven_through"])
    renew_lease(run_id=run_id, fence=fence)
    return True
