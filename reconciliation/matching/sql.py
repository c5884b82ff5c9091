"""Statements over whole files: run as text, because the ORM has no words for them."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any
from uuid import UUID

from django.db import connection

from channels.selectors import channels_of
from core.transactions import requires_transaction
from payments.selectors import MOVEMENTS as PAY_INS
from payouts.selectors import MOVEMENTS as PAY_OUTS
from reconciliation.models import SettlementSource

__all__ = ["MOVEMENTS_SQL", "channels_for", "execute", "long_statements", "rows", "scratch", "whole_files"]

# A file of a million lines takes seconds for a statement; nothing may take for ever.
_LONGEST = "300s"
_SORTING = "96MB"

MOVEMENTS_SQL = f"""
    SELECT subject_kind, subject_id, nth, kind, reference, our_key, NULL::text AS our_reference, clearing_key,
        currency, amount_minor, state, payment_method
    FROM {PAY_INS} WHERE merchant_id = %(merchant)s AND channel_id = ANY(%(channels)s)
    UNION ALL
    SELECT subject_kind, subject_id, nth, kind, reference, NULL::uuid, end_to_end, clearing_key, currency,
        amount_minor, state, ''::text
    FROM {PAY_OUTS} WHERE merchant_id = %(merchant)s AND channel_id = ANY(%(channels)s) AND rail = 'balance'
"""  # noqa: S608 - names of views
"""What the balance at a provider must show, of these channels of a merchant."""


@requires_transaction
def long_statements() -> None:
    """Let statements of this transaction take their time, and memory to sort in."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{_LONGEST}'")
        cursor.execute(f"SET LOCAL work_mem = '{_SORTING}'")
        # Compiling a statement over the views takes longer than running it for an ordinary file.
        cursor.execute("SET LOCAL jit = off")


@requires_transaction
def scratch(name: str, select: str, params: dict[str, Any]) -> None:
    """Keep the rows of a SELECT in a table of this transaction, whose figures the planner knows.

    Without figures about a million new rows the planner would look them up one by one.
    """
    with whole_files(), connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
        cursor.execute(f"CREATE TEMPORARY TABLE {name} ON COMMIT DROP AS {select}", params)
        cursor.execute(f"ANALYZE {name}")


@contextmanager
def whole_files() -> Iterator[None]:
    """Let statements join as for whole files: nothing is looked up row by row where it can be hashed.

    Lines and matches that were just written have no figures yet, and the planner takes them for few.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_nestloop = off")
        yield
        cursor.execute("SET LOCAL enable_nestloop = on")


def execute(sql: str, params: dict[str, Any], *, whole: bool = True) -> int:
    """Run a statement, over whole files unless told otherwise; return how many rows it touched."""
    with whole_files() if whole else nullcontext(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.rowcount)


def rows(sql: str, params: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    """Run a statement and return its rows."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return list(cursor.fetchall())


def channels_for(source: SettlementSource) -> list[UUID]:
    """Return the channels whose movements a source's files tell of."""
    if source.channel_id is not None:
        return [source.channel_id]
    return channels_of(merchant_id=source.merchant_id, provider=source.provider)
