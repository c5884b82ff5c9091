"""Tables filled with as many rows as one likes, in SQL as the owner with the guards off meanwhile.

Every column that a shape does not name gets the plainest value of its type. Keys grow with time, as the
product's do; what the guards would have refused (a row that begins at its end) is what a list shows.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import connection, models

from core import clock
from tests.database import owner_connection

__all__ = ["Shape", "fill"]

_PORTION = 250_000
# What has a smaller share than this stays small however many payments there are.
_GROWS = 0.1
_PLAIN = {
    "varchar": "''",
    "text": "''",
    "bool": "false",
    "int2": "0",
    "int4": "0",
    "int8": "0",
    "numeric": "0",
    "jsonb": "'{}'",
    "bytea": "'\\x00'",
    "timestamptz": "at",
    "date": "at::date",
    "time": "time '12:00'",
    "uuid": "pg_temp.key(n, 0, at)",
}
_KEY = """
    CREATE OR REPLACE FUNCTION pg_temp.key(n bigint, salt int, at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE AS $$
        SELECT (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '7'
            || lpad(to_hex(n & 4095), 3, '0') || '8' || lpad(to_hex(salt), 3, '0')
            || lpad(to_hex(n), 12, '0'))::uuid
    $$
"""
# `n` counts from 1; `at` are moments of the last ninety days, evenly; `luck` is a number below ten thousand
# that looks like chance.
_INSERT = """
    INSERT INTO {table} ({columns}) SELECT {values}
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS n
    CROSS JOIN LATERAL (SELECT
        %(now)s::timestamptz - interval '90 days' + n * (interval '90 days' / %(rows)s) AS at,
        abs(hashint8(n)::bigint) %% 10000 AS luck) AS made
"""


class Shape:
    """What rows of a table look like: SQL for some columns."""

    def __init__(self, model: type[models.Model], share: float = 1.0, /, **values: str) -> None:
        self.model, self.share, self.values = model, share, values

    @property
    def table(self) -> str:
        """The table."""
        return self.model._meta.db_table


def fill(
    shapes: Sequence[Shape],
    rows: int,
    *,
    words: Mapping[str, Any],
    least: int = 0,
    said: Callable[[str], None] = lambda text: None,
) -> None:
    """Put `rows` rows, or the shape's share of them into each table, and analyse it.

    Tables that grow with the payments get `least` rows at least.
    """
    connection.close()
    now = clock.now()
    with owner_connection() as owner:
        owner.execute(_KEY)
        for shape in shapes:
            count = max(1, least if shape.share >= _GROWS else 0, int(rows * shape.share))
            triggers = _foreign_keys(owner, shape.table) if count > _PORTION else []
            for name, _definition in triggers:
                owner.execute(f'ALTER TABLE {shape.table} DROP CONSTRAINT "{name}"')
            owner.execute(f"ALTER TABLE {shape.table} DISABLE TRIGGER USER")
            sql = _statement(owner, shape)
            for first in range(1, count + 1, _PORTION):
                last = min(first + _PORTION - 1, count)
                owner.execute(sql, {**words, "first": first, "last": last, "rows": count, "now": now})
                owner.commit()
                said(f"{shape.table} {last:,} of {count:,}")
            owner.execute(f"ALTER TABLE {shape.table} ENABLE TRIGGER USER")
            for name, definition in triggers:
                owner.execute(f'ALTER TABLE {shape.table} ADD CONSTRAINT "{name}" {definition} NOT VALID')
            owner.commit()
        owner.autocommit = True
        for shape in shapes:
            owner.execute(f"VACUUM (ANALYZE) {shape.table}")


def _statement(owner: Any, shape: Shape) -> str:
    found = owner.execute(
        "SELECT a.attname, t.typname, a.attnotnull, a.atthasdef OR a.attidentity <> ''"
        " FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
        " WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        [shape.table],
    ).fetchall()
    values = dict(shape.values)
    for name, kind, is_needed, has_default in found:
        if name not in values and is_needed and not has_default:
            values[name] = "'{}'" if kind.startswith("_") else _PLAIN[kind]
    unknown = set(values) - {name for name, *_ in found}
    assert not unknown, f"{shape.table} has no {unknown}"
    return _INSERT.format(table=shape.table, columns=", ".join(values), values=", ".join(values.values()))


def _foreign_keys(owner: Any, table: str) -> list[tuple[str, str]]:
    """One look-up per row and key would take longer than everything else."""
    found = owner.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = %s::regclass",
        [table],
    ).fetchall()
    return [(name, definition) for name, definition in found]
