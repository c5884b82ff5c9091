"""What runs behind the writers: the fence, and the sums and seals that are kept below it."""

from django.db import connection

from core.transactions import forbids_transaction

__all__ = ["advance_checkpoints", "advance_fence", "seal_entries"]


@forbids_transaction
def advance_fence() -> int:
    """Move the fence one step; return the highest entry id below which nothing can appear any more."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_fence_step()")
        return int(cursor.fetchone()[0])


@forbids_transaction
def advance_checkpoints() -> int:
    """Fold what is below the fence into balances, day totals and open keys; return how many balances moved.

    Works in portions that commit alone, so that a long backlog is no long statement.
    """
    moved = _fold("ledger_advance_checkpoints")
    _fold("ledger_advance_day_totals")
    _fold("ledger_advance_open_keys")
    return moved


@forbids_transaction
def seal_entries() -> int:
    """Seal what is below the fence, block by block; return how many entries were sealed.

    A block commits alone, so that a long backlog is no long statement, and a sealer that dies is followed by
    one that goes on where it stopped.
    """
    return _fold("ledger_seal_step")


def _fold(function: str) -> int:
    total = 0
    while True:
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}()")
            moved = int(cursor.fetchone()[0])
        if not moved:
            return total
        total += moved
