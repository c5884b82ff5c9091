"""How two sets of lines about the same thing differ, found by the database in one statement.

Lines are paired by what the provider calls them, and by their turn where a name comes more than once. Where a
line stands in its file is no part of what it says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from core.transactions import requires_transaction

__all__ = ["ENTRIES", "LINES", "Compared", "write_changes"]


@dataclass(frozen=True)
class Compared:
    """A kind of line: its table, the columns that pair two of them, and what else they say."""

    table: str
    key: Sequence[str]
    said: Sequence[str]

    @property
    def sql(self) -> str:
        """The statement: ids of the new file's lines, ids of the old one's, and which of each."""
        pair = " AND ".join(f"old.{name} = new.{name}" for name in (*self.key, "nth"))
        same = " AND ".join(f"old.{name} IS NOT DISTINCT FROM new.{name}" for name in self.said)
        what = ", ".join(
            f"CASE WHEN old.{name} IS DISTINCT FROM new.{name} THEN '{name}' END" for name in self.said
        )
        return f"""
            WITH old AS ({self._numbered}), new AS ({self._numbered})
            INSERT INTO reconciliation_linechange (id, merchant_id, file_id, kind, before, after, what)
            SELECT gen_random_uuid(), %s, %s,
                CASE WHEN old.id IS NULL THEN 'added' WHEN new.id IS NULL THEN 'removed' ELSE 'changed' END,
                old.id, new.id,
                CASE WHEN old.id IS NULL OR new.id IS NULL THEN '[]'
                    ELSE to_jsonb(array_remove(ARRAY[{what}], NULL)) END
            FROM old FULL JOIN new ON {pair}
            WHERE old.id IS NULL OR new.id IS NULL OR NOT ({same})
        """  # noqa: S608 - names of columns, from below

    @property
    def _numbered(self) -> str:
        # Lines of one name stand in the order of what they say, so that the same ones have the same turn.
        return (
            f"SELECT *, row_number() OVER (PARTITION BY {', '.join(self.key)}"  # noqa: S608
            f" ORDER BY {', '.join(self.said)}, id) AS nth FROM {self.table}"
            " WHERE id BETWEEN %s AND %s AND (%s::uuid IS NULL OR {owner} = %s::uuid)"
        ).format(owner="statement_id" if self.table.endswith("bankline") else "file_id")


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
def write_changes(
    compared: Compared,
    *,
    merchant_id: UUID,
    file_id: UUID,
    old: tuple[int, int, UUID | None],
    new: tuple[int, int, UUID | None],
) -> int:
    """Write down how the new lines differ from the old ones; return in how many lines, 0 for not at all.

    `old` and `new` are the first and the last id, and the statement, if only one of a file is meant.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '25s'")
        cursor.execute("SET LOCAL work_mem = '64MB'")
        cursor.execute(compared.sql, [*old, old[2], *new, new[2], merchant_id, file_id])
        return int(cursor.rowcount)
