"""What is open on clearing accounts, key by key."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.types import KeyBalance, KeyLine

__all__ = ["account_of", "key_lines", "open_keys"]

_OPEN = """
    SELECT account.id, account.provider, line.clearing_key, sum(line.amount_minor)::bigint,
        min(coalesce(entry.original_date, entry.effective_date)),
        max(coalesce(entry.original_date, entry.effective_date))
    FROM (
        SELECT account_id, clearing_key FROM ledger_journalline AS line
        WHERE account_id = ANY(%(accounts)s) {wanted}
        GROUP BY account_id, clearing_key HAVING sum(amount_minor) <> 0
    ) AS open
    JOIN ledger_account AS account ON account.id = open.account_id
    JOIN ledger_journalline AS line ON line.account_id = open.account_id
        AND line.clearing_key = open.clearing_key
    JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    GROUP BY account.id, account.provider, line.clearing_key ORDER BY account.id, line.clearing_key
"""
_LINES = """
    SELECT line.account_id, line.clearing_key, line.entry_id, line.amount_minor
    FROM ledger_journalline AS line
    WHERE line.account_id = ANY(%(accounts)s) AND line.clearing_key = ANY(%(keys)s) ORDER BY line.id
"""


def account_of(*, merchant_id: UUID, role: str, currency: str, provider: str | None = None) -> int | None:
    """Return the account of a role that nobody owns; None when nothing was ever posted on it."""
    found = _rows(
        "SELECT id FROM ledger_account WHERE merchant_id = %s AND role = %s AND currency = %s"
        " AND owner IS NULL AND provider IS NOT DISTINCT FROM %s",
        [merchant_id, role, currency, provider],
    )
    return int(found[0][0]) if found else None


def open_keys(
    *, merchant_id: UUID, role: str, currency: str, keys: Collection[str] | None = None
) -> list[KeyBalance]:
    """Return the keys of a role that are not zero, of these `keys` or of all; minor units, debit positive.

    The days are the first and the last on which something of the key happened. Reads all lines of the
    accounts: for roles that have few.
    """
    wanted = "" if keys is None else "AND clearing_key = ANY(%(keys)s)"
    params = {"accounts": _accounts(merchant_id, role, currency), "keys": sorted(keys or ())}
    return [KeyBalance(*row) for row in _rows(_OPEN.format(wanted=wanted), params)]


def key_lines(*, merchant_id: UUID, role: str, currency: str, keys: Collection[str]) -> list[KeyLine]:
    """Return every line of these keys, in the order of the books."""
    params = {"accounts": _accounts(merchant_id, role, currency), "keys": sorted(keys)}
    return [KeyLine(*row) for row in _rows(_LINES, params)]


def _accounts(merchant_id: UUID, role: str, currency: str) -> list[int]:
    sql = "SELECT id FROM ledger_account WHERE merchant_id = %s AND role = %s AND currency = %s"
    return [account_id for (account_id,) in _rows(sql, [merchant_id, role, currency])]


def _rows(sql: str, params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())
