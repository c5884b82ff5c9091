"""The open keys of one clearing account, page by page, and the lines of one key."""

from dataclasses import dataclass
from typing import Any

from django.db import connection

from ledger.types import AccountLine

__all__ = ["AccountKeys", "account_keys", "lines_of_key"]

# Keys that are kept behind the fence, and the tail of lines above it. The tail may bring kept keys to zero,
# at most as many as it has: so many more are read, and a page is full while there are keys. Rows and sums
# are one statement, so that no posting comes between them.
_KEYS = """
    WITH tail AS MATERIALIZED (
        SELECT clearing_key, sum(amount_minor) AS minor FROM ledger_journalline
        WHERE account_id = %(account)s AND entry_id > (SELECT key_entry FROM ledger_fence)
            AND clearing_key IS NOT NULL
        GROUP BY clearing_key
    ), kept AS MATERIALIZED (
        SELECT clearing_key, balance_minor AS minor FROM ledger_openkey
        WHERE account_id = %(account)s AND clearing_key > %(after)s
        ORDER BY clearing_key LIMIT %(limit)s + (SELECT count(*) FROM tail)
    ), page AS (
        SELECT clearing_key, sum(minor) AS minor
        FROM (SELECT * FROM kept UNION ALL SELECT * FROM tail WHERE clearing_key > %(after)s) AS item
        GROUP BY clearing_key HAVING sum(minor) <> 0 ORDER BY clearing_key LIMIT %(limit)s
    ), whole AS (
        SELECT count(*) AS keys, coalesce(sum(minor), 0) AS minor FROM (
            SELECT clearing_key, sum(minor) AS minor FROM (
                SELECT clearing_key, balance_minor AS minor FROM ledger_openkey
                WHERE account_id = %(account)s
                UNION ALL SELECT * FROM tail
            ) AS item GROUP BY clearing_key HAVING sum(minor) <> 0
        ) AS open
    )
    SELECT whole.keys, whole.minor, page.clearing_key, page.minor FROM whole LEFT JOIN page ON true
    ORDER BY page.clearing_key
"""
_LINES = """
    WITH line AS MATERIALIZED (
        SELECT * FROM ledger_journalline WHERE account_id = %(account)s AND clearing_key = %(key)s
    ), whole AS (SELECT count(*) AS lines, coalesce(sum(amount_minor), 0) AS minor FROM line)
    SELECT whole.lines, whole.minor, page.* FROM whole LEFT JOIN (
        SELECT line.id, line.entry_id, entry.kind, entry.source, entry.source_ref, entry.effective_date,
            entry.recorded_at, line.amount_minor, line.currency, line.clearing_key
        FROM line JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
        WHERE line.id > %(after)s ORDER BY line.id LIMIT %(limit)s
    ) AS page ON true ORDER BY page.id
"""


@dataclass(frozen=True)
class AccountKeys:
    """A page of open keys with their balances, debits less credits; the sum is that of all open keys."""

    rows: tuple[tuple[str, int], ...]
    count: int
    balance_minor: int
    after: str


def account_keys(*, account_id: int, after: str = "", limit: int = 50) -> AccountKeys:
    """Return open keys of a clearing account that come after a key, in their order, as of now."""
    found = _fetch(_KEYS, {"account": account_id, "after": after, "limit": limit + 1})
    every = [(key, int(minor)) for _keys, _sum, key, minor in found if key is not None]
    rows = tuple(every[:limit])
    count, balance = int(found[0][0]), int(found[0][1])
    return AccountKeys(rows, count, balance, rows[-1][0] if len(every) > limit else "")


def lines_of_key(
    *, account_id: int, key: str, after: int = 0, limit: int = 50
) -> tuple[list[AccountLine], int, int]:
    """Return lines of one key that come after a line, how many the key has, and what all of them come to."""
    asked = {"account": account_id, "key": key, "after": after, "limit": limit}
    found = _fetch(_LINES, asked)
    lines = [AccountLine(*row[2:]) for row in found if row[2] is not None]
    return lines, int(found[0][0]), int(found[0][1])


def _fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
