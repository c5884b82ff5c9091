"""What became available in a wallet, and was taken, between two of its movements."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from wallet.models import WalletOperation

__all__ = ["Moved", "Span", "available_between"]

_LINES_PER_ENTRY = 1024
_WITHIN = """
    FROM wallet_walletoperation AS op
    JOIN ledger_journalentry AS entry ON entry.id = op.line_id / 1024
    WHERE op.wallet_id = %s AND op.bucket = 'available' AND op.id > %s AND op.id < %s
"""
_SUMS = f"""
    SELECT entry.kind, count(DISTINCT entry.id), sum(op.delta_minor) {_WITHIN}
    GROUP BY entry.kind ORDER BY entry.kind
"""
_RELEASED = f"SELECT entry.source_ref {_WITHIN} AND entry.kind = 'funds_released' ORDER BY op.id LIMIT %s"


@dataclass(frozen=True)
class Moved:
    """What entries of one kind did to what is available, in minor units, and how many they were."""

    what: str
    count: int
    amount_minor: int


@dataclass(frozen=True)
class Span:
    """What was available after one entry, what moved, and what was available before another one.

    Opening plus all that moved is closing, in minor units. `released` names the first orders whose money
    became available (pay_… ids), at most as many as were asked for.
    """

    opening_minor: int
    moved: tuple[Moved, ...]
    closing_minor: int
    released: tuple[str, ...]


def available_between(*, wallet_id: UUID, after: int | None, before: int, orders: int) -> Span:
    """Return what moved in the available money of a wallet after one entry of the books and before another.

    Both touch it, and neither is part of it; None for `after` is from the beginning. Reads nothing but what
    lies between. Raises LookupError when `before` did not touch it.
    """
    upper = _operation(wallet_id, before)
    if upper is None:
        raise LookupError(f"entry {before} took nothing of wallet {wallet_id}")
    closing = upper.balance_after_minor - upper.delta_minor
    lower = _operation(wallet_id, after) if after is not None else None
    if lower is not None and lower.id > upper.id:
        # They met, and the wallet served the later one first: there is nothing between.
        return Span(closing, (), closing, ())
    bounds: list[Any] = [wallet_id, lower.id if lower else 0, upper.id]
    with connection.cursor() as cursor:
        cursor.execute(_SUMS, bounds)
        moved = tuple(Moved(what, count, int(minor)) for what, count, minor in cursor.fetchall())
        cursor.execute(_RELEASED, [*bounds, orders])
        released = tuple(reference for (reference,) in cursor.fetchall())
    return Span(lower.balance_after_minor if lower else 0, moved, closing, released)


def _operation(wallet_id: UUID, entry_id: int) -> WalletOperation | None:
    first = entry_id * _LINES_PER_ENTRY
    rows = WalletOperation.objects.filter(wallet_id=wallet_id, bucket="available")
    return rows.filter(line_id__range=(first, first + _LINES_PER_ENTRY - 1)).order_by("-id").first()
