"""How two sets of lines about the same thing differ, found by the database in one statement.

Lines that say the same on both sides are set aside by a digest of what they say, so that only the others are
looked at. Those are paired by what the provider calls them, and by their turn where a name comes more than
once. Where a line stands in its file is no part of what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from core.transactions import requires_transaction

__all__ = ["ENTRIES", "LINES", "Compared", "Side", "write_changes"]


@dataclass(frozen=True)
class Side:
    """One of the two sets: the first and the last id, and the statement where only one of a file is meant."""

    first: int
    last: int
    statement_id: UUID | None = None


@dataclass(frozen=True)
class Compared:
    """A kind of line: its table, the columns that pair two of them, and what else they say."""

    table: str
    key: Sequence[str]
    said: Sequence[str]

    @property
    def sql(self) -> str:
        """The statement; its parameters are `Side`s by their names, the merchant and the file."""
        pair = " AND ".join(f"old.{name} = new.{name}" for name in (*self.key, "nth"))
        same = " AND ".join(f"old.{name} IS NOT DISTINCT FROM new.{name}" for name in self.said)
        what = ", ".join(
            f"CASE WHEN old.{name} IS DISTINCT FROM new.{name} THEN '{name}' END" for name in self.said
        )
        return f"""
            WITH told AS MATERIALIZED ({self._told("old", -1)} UNION ALL {self._told("new", 1)}),
            differing AS (
                SELECT one, two FROM told GROUP BY one, two HAVING sum(side) <> 0
            ),
            suspect AS MATERIALIZED (
                SELECT told.id FROM told
                JOIN differing ON differing.one = told.one AND differing.two = told.two
            ),
            old AS ({self._numbered("old")}), new AS ({self._numbered("new")})
            INSERT INTO reconciliation_linechange (id, merchant_id, file_id, kind, before, after, what)
            SELECT gen_random_uuid(), %(merchant_id)s, %(file_id)s,
                CASE WHEN old.id IS NULL THEN 'added' WHEN new.id IS NULL THEN 'removed' ELSE 'changed' END,
                old.id, new.id,
                CASE WHEN old.id IS NULL OR new.id IS NULL THEN '[]'
                    ELSE to_jsonb(array_remove(ARRAY[{what}], NULL)) END
            FROM old FULL JOIN new ON {pair}
            WHERE old.id IS NULL OR new.id IS NULL OR NOT ({same})
        """  # noqa: S608 - names of columns, from below

    def _told(self, side: str, sign: int) -> str:
        """What each line says, as a digest of 128 bits."""
        row = ", ".join((*self.key, *self.said))
        return (
            f"SELECT id, {sign} AS side, hash_record_extended(ROW({row}), 1) AS one,"  # noqa: S608
            f" hash_record_extended(ROW({row}), 2) AS two FROM {self.table} WHERE {self._of(side)}"
        )

    def _numbered(self, side: str) -> str:
        """The lines that differ; of one name they stand in the order of what they say."""
        return (
            f"SELECT *, row_number() OVER (PARTITION BY {', '.join(self.key)}"  # noqa: S608
            f" ORDER BY {', '.join(self.said)}, id) AS nth FROM {self.table}"
            f" WHERE {self._of(side)} AND id IN (SELECT id FROM suspect)"
        )

    def _of(self, side: str) -> str:
        one = f" AND statement_id = %({side}_statement)s" if self is ENTRIES else ""
        return f"id BETWEEN %({side}_first)s AND %({side}_last)s{one}"


LINES = Compared(
    "reconciliation_settlementline",
    ("kind", "reference", "batch"),
    (
        *("gross_minor", "fee_minor", "net_minor", "currency", "business_date", "related"),
        *("merchant_reference", "original_currency", "original_minor", "rate", "occurred_at", "raw_kind"),
        *("local_time", "raw"),
    ),
)
ENTRIES = Compared(
    "reconciliation_bankline",
    ("bank_reference", "end_to_end", "batch_reference"),
    (
        *("amount_minor", "currency", "booked_on", "value_on", "is_reversal", "code", "return_reason"),
        *("counterparty", "counterparty_account", "text"),
    ),
)


@requires_transaction
def write_changes(compared: Compared, *, merchant_id: UUID, file_id: UUID, old: Side, new: Side) -> int:
    """Write down how the new lines differ from the old ones; return in how many lines, 0 for not at all."""
    values = {
        f"{name}_{what}": value
        for name, side in (("old", old), ("new", new))
        for what, value in (("first", side.first), ("last", side.last), ("statement", side.statement_id))
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '25s'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        # Nobody has counted lines that were staged a moment ago: what looks like one row may be a million.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(compared.sql, {**values, "merchant_id": merchant_id, "file_id": file_id})
        differing = int(cursor.rowcount)
        cursor.execute("SET LOCAL enable_nestloop = on")
    return differing
