"""One account with millions of lines, made in a minute: SQL as the owner, with the guards off meanwhile.

What the guards would have checked holds all the same, and the audits say so.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from tests.database import owner_connection, truncate_everything
from tests.ledger.books import Books

__all__ = ["LINES_PER_ENTRY", "big_account"]

LINES_PER_ENTRY = 2  # on the big account; a third line, on another account, balances them
_CHUNK = 250_000
_GUARDED = ("ledger_journalentry", "ledger_journalline")

_ENTRIES = """
    INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,
        recorded_at, line_count, corrects, digest)
    SELECT id, %(merchant)s, 'fill', 'fill', id::text, 'main', day, now(), 3, NULL,
        sha256(convert_to('4:fill10:' || to_char(day, 'YYYY-MM-DD') || '0:'
            || %(debit)s || key || %(credit)s || key || %(balance)s, 'UTF8'))
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS id
    CROSS JOIN LATERAL (
        SELECT date '2026-03-01' + (id %% 28)::int AS day, length('=k' || id) || ':=k' || id AS key) AS made
"""
_LINES = """
    INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor, currency,
        clearing_key)
    SELECT entry * 1024 + line.no, %(merchant)s, entry, line.no, line.account, line.amount, 'USD',
        CASE WHEN line.no < 3 THEN 'k' || entry END
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS entry
    CROSS JOIN (VALUES (1, %(big)s::bigint, 200), (2, %(big)s, -100), (3, %(other)s, -100))
        AS line(no, account, amount)
"""


@contextmanager
def big_account(books: Books, lines: int) -> Iterator[int]:
    """Give the clearing account so many lines with a checkpoint over them; empty the books afterwards."""
    connection.close()
    with owner_connection() as owner:
        foreign_keys = _drop_foreign_keys(owner)
        try:
            _fill(owner, books, entries=lines // LINES_PER_ENTRY)
            yield books.clearing
        finally:
            owner.rollback()
            truncate_everything()
            for table, name, definition in foreign_keys:
                owner.execute(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}')
            owner.commit()


def _drop_foreign_keys(owner: Any) -> list[tuple[str, str, str]]:
    """One look-up per line and key would take longer than everything else."""
    found = owner.execute(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = ANY (%s::regclass[])",
        [list(_GUARDED)],
    ).fetchall()
    for table, name, _definition in found:
        owner.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
    owner.commit()
    return [tuple(row) for row in found]


def _fill(owner: Any, books: Books, *, entries: int) -> None:
    (start,) = owner.execute("SELECT last_value FROM ledger_journalentry_seq").fetchone()
    for table in _GUARDED:
        owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    for first in range(start + 1, start + entries + 1, _CHUNK):
        place = {"first": first, "last": min(first + _CHUNK - 1, start + entries)}
        names = {"merchant": books.merchant_id, "big": books.clearing, "other": books.commission}
        names |= {
            # The beginnings of the lines as the digest of an entry writes them.
            "debit": _parts(books.clearing, 200, "USD"),
            "credit": _parts(books.clearing, -100, "USD"),
            "balance": _parts(books.commission, -100, "USD", ""),
        }
        owner.execute(_ENTRIES, place | names)
        owner.execute(_LINES, place | names)
        owner.commit()
    for table in _GUARDED:
        owner.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
    last = start + entries
    owner.execute("SELECT setval('ledger_journalentry_seq', %s)", [last])
    owner.execute(
        "INSERT INTO ledger_accountcheckpoint (account_id, entry_id, balance_minor)"
        " SELECT account_id, %s, sum(amount_minor) FROM ledger_journalline GROUP BY account_id"
        " ON CONFLICT (account_id) DO UPDATE"
        " SET entry_id = excluded.entry_id, balance_minor = excluded.balance_minor",
        [last],
    )
    owner.execute(
        "UPDATE ledger_fence SET safe_entry = %s, folded_entry = %s, next_entry = NULL, next_xid = NULL",
        [last, last],
    )
    owner.commit()
    owner.autocommit = True
    for table in (*_GUARDED, "ledger_accountcheckpoint"):
        owner.execute(f"VACUUM (ANALYZE) {table}")
    owner.autocommit = False


def _parts(*values: object) -> str:
    """Each value with its length in front."""
    return "".join(f"{len(str(value))}:{value}" for value in values)
