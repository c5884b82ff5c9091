"""Break the data as nobody can, ask every audit, and put it back: one transaction of the owner."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from core.audits import registered
from ledger.seal_audits import NOTICE_ANY_CHANGE
from tests.database import owner_connection

__all__ = ["broken", "violated"]

_UNGUARDED = """
    DO $$
    DECLARE
        rule record;
    BEGIN
        SET CONSTRAINTS ALL IMMEDIATE;
        FOR rule IN
            SELECT conrelid::regclass AS name, conname, contype FROM pg_constraint
            WHERE conrelid::regclass::text ~ '{tables}' AND contype IN ('f', 'c', 'u')
            -- The doors work with this one only; who wants an entry twice drops it.
            AND conname <> 'ledger_entry_once_per_source'
            -- Foreign keys first: a unique constraint that one refers to does not go.
            ORDER BY contype = 'u'
        LOOP
            EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I CASCADE', rule.name, rule.conname);
        END LOOP;
        FOR rule IN SELECT DISTINCT tgrelid::regclass AS name
            FROM pg_trigger WHERE NOT tgisinternal
            AND tgrelid::regclass::text ~ '{tables}'
        LOOP
            EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', rule.name);
        END LOOP;
    END $$
"""


@contextmanager
def broken(*, tables: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection of the owner with every guard gone; whatever is done with it is rolled back.

    `tables` is a regular expression for the names of the tables that lose their guards.
    """
    with owner_connection() as owner:
        owner.execute(_UNGUARDED.format(tables=tables))
        yield owner
        owner.rollback()


# The sums by key follow any change of a line that was folded.
_SILENT = NOTICE_ANY_CHANGE | {"open_keys_are_the_sum"}


def violated(owner: psycopg.Connection[Any], *, silent: frozenset[str] = _SILENT) -> set[str]:
    """The names of the audits that find something, as this transaction sees the data.

    Those that notice any change at all are left out, unless a test of theirs asks for them.
    """
    # A name in the SQL never contains a parameter, so that a % in it stays what it is.
    return {
        each.name
        for each in registered()
        if each.name not in silent and owner.execute(each.sql.encode()).fetchone()
    }
