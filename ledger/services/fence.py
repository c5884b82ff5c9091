"""What runs behind the writers: the fence, and the sums that are kept below it."""

from django.db import connection

from core.transactions import forbids_transaction

__all__ = ["advance_checkpoints", "advance_fence"]


@forbids_transaction
def advance_fence() -> int:
    """Move the fence one step; return the highest entry id below which nothing can appear any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_fence_step()")
        return int(cursor.fetchone()[0])


@forbids_transaction
def advance_checkpoints() -> int:
    """Fold what is below the fence into the balances and day totals; return how many balances moved.

    Works in portions that commit alone, so that a long backlog is no long statement.
    """
    moved = _fold("ledger_advance_checkpoints")
    _fold("ledger_advance_day_totals")
    return moved


def _fold(function: str) -> int:
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}()")
            moved = int(cursor.fetchone()[0])
        if not moved:
            return total
        total += moved
