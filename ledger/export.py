"""The sealed books as rows that a stranger can verify: docs/reference/seal.md describes every field.

Numbers are written as strings, times and dates as the text that was hashed. What is sealed never changes, so
the rows are read block by block, in many short queries instead of one long transaction.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from core import clock

__all__ = ["FORMAT", "rows"]

FORMAT = 1
Row = dict[str, Any]

# An ORDER BY names its table: the bare name would be the text that is selected.
_TIME = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
_ACCOUNTS = """
    SELECT id::text, merchant_id::text, role, owner::text, provider, currency, guarded, clearing
    FROM ledger_account WHERE id > %s ORDER BY ledger_account.id LIMIT 5000
"""
_CHECKPOINTS = """
    SELECT account_id::text, entry_id::text, balance_minor::text FROM ledger_accountcheckpoint
    WHERE account_id > %s AND entry_id <= %s
    ORDER BY ledger_accountcheckpoint.account_id LIMIT 5000
"""
_ENTRIES = f"""
    SELECT id::text, merchant_id::text, kind, source, source_ref, leg,
        to_char(effective_date, 'YYYY-MM-DD') AS effective_date, {_TIME.format("recorded_at")} AS recorded_at,
        line_count::text, corrects::text, encode(digest, 'hex') AS digest, group_id::text, group_size::text,
        to_char(original_date, 'YYYY-MM-DD') AS original_date, facts::text AS facts
    FROM ledger_journalentry WHERE id > %s AND id <= %s ORDER BY ledger_journalentry.id
"""  # noqa: S608
_LINES = """
    SELECT id::text, entry_id::text, line_no::text, merchant_id::text, account_id::text, amount_minor::text,
        currency, clearing_key
    FROM ledger_journalline WHERE id >= (%s + 1) * 1024::bigint AND id <= %s * 1024::bigint + 1023
    ORDER BY ledger_journalline.id
"""
_BLOCK = f"""
    SELECT number::text, first_entry::text, last_entry::text, entry_count::text, line_count::text,
        encode(root, 'hex') AS root, encode(previous, 'hex') AS previous, encode(hash, 'hex') AS hash,
        {_TIME.format("sealed_at")} AS sealed_at
    FROM ledger_seal WHERE number > %s ORDER BY ledger_seal.number LIMIT 1
"""  # noqa: S608
_RECORDS = f"""
    SELECT seq::text, merchant_id::text, actor, action, subject, reason, detail::text AS detail, request_id,
        {_TIME.format("recorded_at")} AS recorded_at
    FROM core_auditrecord WHERE seq > %s AND seq <= %s ORDER BY core_auditrecord.seq
"""  # noqa: S608
_AUDIT_BLOCK = f"""
    SELECT number::text, first_seq::text, last_seq::text, record_count::text, encode(root, 'hex') AS root,
        encode(previous, 'hex') AS previous, encode(hash, 'hex') AS hash, {_TIME.format("sealed_at")} AS sealed_at
    FROM core_auditseal WHERE number > %s ORDER BY core_auditseal.number LIMIT 1
"""  # noqa: S608


def rows() -> Iterator[Row]:
    """Yield the export row by row: header, accounts, checkpoints, the blocks of both chains, and the end."""
    counts = dict.fromkeys(
        ("account", "checkpoint", "entry", "line", "block", "audit_record", "audit_block"), 0
    )
    through = _last_sealed()
    yield {"type": "books", "format": FORMAT, "exported_at": clock.now().isoformat(), "last_entry": str(through)}
    for row in _all_rows(through):
        counts[row["type"]] += 1
        counts["line"] += len(row["lines"]) if row["type"] == "entry" else 0
        yield row
    yield {"type": "end"} | {name: str(count) for name, count in counts.items()}


def _all_rows(through: int) -> Iterator[Row]:
    yield from _paged("account", "id", _ACCOUNTS)
    yield from _paged("checkpoint", "account_id", _CHECKPOINTS, through)
    yield from _blocks(through)
    yield from _audit_blocks()


def _last_sealed() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(last_entry), 0) FROM ledger_seal")
        return int(cursor.fetchone()[0])


def _paged(kind: str, key: str, sql: str, *more: int) -> Iterator[Row]:
    last = 0
    while found := _fetch(kind, sql, last, *more):
        yield from found
        last = int(found[-1][key])


def _blocks(through: int) -> Iterator[Row]:
    """Every block up to the one that was last when the export began, each after its entries."""
    number = after = 0
    while (found := _fetch("block", _BLOCK, number)) and int(found[0]["last_entry"]) <= through:
        last = int(found[0]["last_entry"])
        entries = {row["id"]: row | {"lines": []} for row in _fetch("entry", _ENTRIES, after, last)}
        for line in _fetch("line", _LINES, after, last):
            del line["type"]
            entry = entries.get(str(int(line["id"]) // 1024))
            if entry:
                entry["lines"].append(line)
        yield from entries.values()
        yield found[0]
        number, after = int(found[0]["number"]), last


def _audit_blocks() -> Iterator[Row]:
    number = after = 0
    while found := _fetch("audit_block", _AUDIT_BLOCK, number):
        last = int(found[0]["last_seq"])
        yield from _fetch("audit_record", _RECORDS, after, last)
        yield found[0]
        number, after = int(found[0]["number"]), last


def _fetch(kind: str, sql: str, *params: int) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description]
        return [{"type": kind} | dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
