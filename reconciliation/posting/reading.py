"""The lines of a file as posting needs them: with what they were matched to, in portions, in one order."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from reconciliation.posting.keys import line_key
from reconciliation.posting.origins import posted_as

__all__ = ["Extent", "Group", "PostedLine", "groups_of", "portions_of"]

# What tells of the batch itself, not of something in it: the amount that the others add up to.
HEADER_KINDS = ("payout", "payout_reversal")


class Extent(NamedTuple):
    """Which lines of a file are posted: all from `first` to `last`, or what a correction changes."""

    file_id: UUID
    first: int
    last: int
    is_correction: bool


class Group(NamedTuple):
    """Lines that are posted together: of one batch, in one currency."""

    currency: str
    batch: str


class PostedLine(NamedTuple):
    """One line to post, or its part for one movement where it is for several.

    `sign` is -1 for a line of the version before that is taken back. `matched_minor` is the movement's
    amount, `subject_…` the movement; without a match they are None, and `clearing_key` says where a line that
    is taken back stands. `is_further` says that an earlier part
    has the line's own amounts.
    """

    id: int
    sign: int
    kind: str
    reference: str
    gross_minor: int
    fee_minor: int
    net_minor: int
    original_currency: str
    original_minor: int | None
    subject_kind: str | None
    subject_id: UUID | None
    clearing_key: str | None
    matched_minor: int | None
    is_further: bool


# A first version is posted whole. A later one posts what differs: lines that are new or other, and, with the
# opposite sign, those that are gone or were other, under the key that they were posted with.
_WHOLE = """
    SELECT line.*, 1 AS sign FROM reconciliation_settlementline AS line
    WHERE line.id BETWEEN %(first)s AND %(last)s
"""
_CHANGED = """
    SELECT line.*, side.sign FROM reconciliation_linechange AS change
    CROSS JOIN LATERAL (VALUES (change.after, 1), (change.before, -1)) AS side(line_id, sign)
    JOIN reconciliation_settlementline AS line ON line.id = side.line_id
    WHERE change.file_id = %(file)s AND line.id >= %(first)s
"""
_GROUPS = """
    SELECT DISTINCT currency, batch FROM ({lines}) AS line WHERE kind <> ALL (%(headers)s)
    ORDER BY currency, batch
"""
_PORTION = """
    WITH portion AS MATERIALIZED (
        SELECT line.id, line.sign, line.kind, line.reference, line.gross_minor, line.fee_minor,
            line.net_minor, line.original_currency, line.original_minor
        FROM ({lines}) AS line
        WHERE line.currency = %(currency)s AND line.batch = %(batch)s AND line.kind <> ALL (%(headers)s)
            AND (line.id, line.sign) > (%(after_id)s, %(after_sign)s)
        ORDER BY line.id, line.sign LIMIT %(limit)s)
    SELECT portion.*, match.subject_kind, match.subject_id, match.clearing_key, match.amount_minor,
        row_number() OVER (PARTITION BY portion.id, portion.sign ORDER BY match.id) > 1
    FROM portion LEFT JOIN LATERAL (
        SELECT * FROM reconciliation_match AS match
        WHERE match.side = 'psp' AND match.line_id = portion.id
            -- Of a line that is taken back, what it was when the later version came.
            AND (match.live OR portion.sign = -1 AND EXISTS (
                SELECT FROM reconciliation_matchend AS ended WHERE ended.match_id = match.id
                AND ended.reason LIKE 'version %% of the file counts in its place'))
    ) AS match ON true
    ORDER BY portion.id, portion.sign, match.id
"""


def groups_of(extent: Extent) -> list[Group]:
    """Return the groups that are to be posted of a file, in order."""
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS.format(lines=_source(extent)), _params(extent))
        return [Group(*row) for row in cursor.fetchall()]


def portions_of(extent: Extent, group: Group, *, size: int) -> Iterator[list[PostedLine]]:
    """Yield the lines of a group in their order, at most `size` lines at a time.

    Portions are read one by one, each where the last one ended: nothing is held between them.
    """
    sql = _PORTION.format(lines=_source(extent))
    params = _params(extent) | {"currency": group.currency, "batch": group.batch, "limit": size}
    while True:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
            rows = _where_they_are([PostedLine(*row) for row in cursor.fetchall()])
        if not rows:
            return
        yield rows
        # Where the next one begins also bounds the range of keys that is looked through.
        params |= {"after_id": rows[-1].id, "after_sign": rows[-1].sign, "first": rows[-1].id}


def _where_they_are(rows: list[PostedLine]) -> list[PostedLine]:
    """Lines of nothing we know that are taken back are taken back where they were posted first."""
    gone = [row.id for row in rows if row.sign < 0 and row.subject_kind is None]
    if not gone:
        return rows
    at = posted_as(gone)
    return [
        row._replace(clearing_key=line_key(line_id=at[row.id]))
        if row.sign < 0 and row.subject_kind is None
        else row
        for row in rows
    ]


def _source(extent: Extent) -> str:
    return _CHANGED if extent.is_correction else _WHOLE


def _params(extent: Extent) -> dict[str, Any]:
    return {
        "file": extent.file_id,
        # A correction also takes back lines of the version before.
        "first": 0 if extent.is_correction else extent.first,
        "last": extent.last,
        "headers": list(HEADER_KINDS),
        "after_id": 0,
        "after_sign": 0,
    }
