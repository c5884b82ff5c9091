"""Entries as the arrays that the database functions take: one round trip whatever the size of the batch."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import psycopg
from django.db import DatabaseError, connection

from core import clock
from core.errors import DomainError
from ledger.errors import (
    AccountGuarded,
    AlreadyCorrected,
    CorrectionRefused,
    EntryConflict,
    EntryUnbalanced,
    GroupNotWhole,
    PeriodClosed,
)
from ledger.types import EntryDraft

__all__ = ["ENTRY_PLACEHOLDERS", "call", "columns", "digest"]

# Binary parameters: as text they cost a quarter of the throughput.
ENTRY_PLACEHOLDERS = ", ".join(
    f"%b::{kind}[]"
    for kind in (
        *("uuid", "text", "text", "text", "text", "date", "timestamptz", "int", "bigint", "bytea"),
        *("uuid", "int", "date", "text"),
        *("int", "int", "bigint", "text", "bigint", "text"),
    )
)
_REFUSALS: dict[str, type[DomainError]] = {
    "QL001": EntryConflict,
    "QL002": AccountGuarded,
    "QL004": EntryUnbalanced,
    "QL005": PeriodClosed,
    "QL007": CorrectionRefused,
    "QL008": GroupNotWhole,
    "QL009": PeriodClosed,
}
_CONSTRAINTS: dict[str, type[DomainError]] = {"ledger_entry_corrected_once": AlreadyCorrected}


def columns(drafts: Sequence[EntryDraft]) -> list[list[Any]]:
    """Return the arrays of a batch: fourteen of entries, six of lines (which name their entry from 1)."""
    now = clock.now()
    sizes = _group_sizes(drafts)
    lines = [
        (order, number, line)
        for order, draft in enumerate(drafts, 1)
        for number, line in enumerate(draft.lines, 1)
    ]
    return [
        [draft.merchant_id for draft in drafts],
        [draft.kind for draft in drafts],
        [draft.source for draft in drafts],
        [draft.source_ref for draft in drafts],
        [draft.leg for draft in drafts],
        [draft.effective_date for draft in drafts],
        [now for _ in drafts],
        [len(draft.lines) for draft in drafts],
        [draft.corrects for draft in drafts],
        [digest(draft) for draft in drafts],
        [draft.group_id for draft in drafts],
        [sizes.get((draft.merchant_id, draft.group_id)) for draft in drafts],
        [draft.original_date for draft in drafts],
        [json.dumps(dict(draft.facts), sort_keys=True) if draft.facts else None for draft in drafts],
        [order for order, _, _ in lines],
        [number for _, number, _ in lines],
        [line.account_id for _, _, line in lines],
        [line.currency for _, _, line in lines],
        [line.amount_minor for _, _, line in lines],
        [line.clearing_key for _, _, line in lines],
    ]


def _group_sizes(drafts: Sequence[EntryDraft]) -> Counter[tuple[UUID, UUID | None]]:
    """How many entries each group of the batch has; a key that stands in the batch twice is one entry."""
    keys = {
        (draft.merchant_id, draft.source, draft.source_ref, draft.leg): draft.group_id
        for draft in drafts
        if draft.group_id
    }
    return Counter((key[0], group_id) for key, group_id in keys.items())


def digest(draft: EntryDraft) -> bytes:
    """Return the fingerprint by which the same key with other content is recognised.

    Every part is written with its length in front, so that no two contents look alike. The date is that of
    the event: where the entry stands because that day was closed is not its content, so that an event told
    again after the closing is the same entry.
    """
    event_date = draft.original_date or draft.effective_date
    parts = [draft.kind, event_date.isoformat(), _optional(draft.corrects)]
    for line in draft.lines:
        parts += [str(line.account_id), str(line.amount_minor), line.currency, _optional(line.clearing_key)]
    # Named, because a line begins with a number; and only where present.
    if draft.group_id:
        parts.append(f"group={draft.group_id}")
    if draft.facts:
        parts.append(f"facts={json.dumps(dict(draft.facts), sort_keys=True)}")
    return hashlib.sha256("".join(f"{len(part)}:{part}" for part in parts).encode()).digest()


def _optional(value: object | None) -> str:
    """Nothing and an empty text are different contents."""
    return "" if value is None else f"={value}"


def call(function: str, placeholders: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Call a database function with arrays in binary; return its rows.

    Raises EntryConflict, AccountGuarded, EntryUnbalanced, CorrectionRefused, AlreadyCorrected,
    GroupNotWhole and PeriodClosed for refusals that have a name; every other refusal of a guard is a defect
    of ours and stays a database error.
    """
    connection.ensure_connection()
    raw = connection.connection
    try:
        with connection.wrap_database_errors, psycopg.Cursor(raw) as cursor:
            cursor.execute(f"SELECT * FROM {function}({placeholders})", parameters, prepare=True)  # noqa: S608
            return cursor.fetchall()
    except DatabaseError as error:
        refusal = _refusal(error.__cause__)
        if refusal:
            raise refusal(str(error.__cause__).splitlines()[0]) from error
        raise


def _refusal(cause: BaseException | None) -> type[DomainError] | None:
    if not isinstance(cause, psycopg.Error):
        return None
    return _REFUSALS.get(cause.sqlstate or "") or _CONSTRAINTS.get(cause.diag.constraint_name or "")
