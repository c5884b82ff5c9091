"""The lines of a file as posting needs them: with what they were matched to, in spans, in one order."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from reconciliation.posting.keys import line_key
from reconciliation.posting.origins import posted_as

__all__ = ["Extent", "Group", "PostedLine", "Span", "read_span", "spans_of"]

# What tells of the batch itself, not of something in it: the amount that the others add up to.
HEADER_KINDS = ("payout", "payout_reversal")


class Span(NamedTuple):
    """A range of ids of lines, with its number in the file; `sign` is -1 where lines are taken back."""

    sign: int
    number: int
    first: int
    last: int


class Extent(NamedTuple):
    """Which lines of a file are posted: all from `first` to `last`, or what a correction changes of `before`,
    which are the first and the last id that the version before it may have.
    """

    file_id: UUID
    first: int
    last: int
    before: tuple[int, int] | None = None


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
_LINES = {
    "whole": "reconciliation_settlementline AS line WHERE line.id BETWEEN %(first)s AND %(last)s",
    "new": "reconciliation_linechange AS change JOIN reconciliation_settlementline AS line"
    " ON line.id = change.after WHERE change.file_id = %(file)s"
    " AND change.after BETWEEN %(first)s AND %(last)s",
    "old": "reconciliation_linechange AS change JOIN reconciliation_settlementline AS line"
    " ON line.id = change.before WHERE change.file_id = %(file)s"
    " AND change.before BETWEEN %(first)s AND %(last)s",
}
_SPANS = """
    SELECT DISTINCT (line.id - %(first)s) / %(size)s AS number FROM {lines}
        AND line.kind <> ALL (%(headers)s) ORDER BY number
"""
_COUNTS = "match.live"
# Of a line that is taken back, what it was when the later version came.
_COUNTED = """
    NOT match.live AND EXISTS (SELECT FROM reconciliation_matchend AS ended
        WHERE ended.match_id = match.id AND ended.reason LIKE 'version %% of the file counts in its place')
"""
_ROWS = """
    WITH line AS MATERIALIZED (
        SELECT line.id, line.kind, line.reference, line.gross_minor, line.fee_minor, line.net_minor,
            line.original_currency, line.original_minor, line.currency, line.batch
        FROM {lines} AND line.kind <> ALL (%(headers)s))
    SELECT line.currency, line.batch, line.id, %(sign)s, line.kind, line.reference, line.gross_minor,
        line.fee_minor, line.net_minor, line.original_currency, line.original_minor, match.subject_kind,
        match.subject_id, match.clearing_key, match.amount_minor
    FROM line LEFT JOIN reconciliation_match AS match ON match.line_id = line.id
        AND match.line_id BETWEEN %(first)s AND %(last)s AND match.side = 'psp' AND {counts}
    ORDER BY line.id, match.id
"""


def spans_of(extent: Extent, *, size: int) -> list[Span]:
    """Return the spans that have something to post, of at most `size` ids each, what is taken back first.

    They follow from the ids alone, so that they are the same ones whenever they are asked for.
    """
    if extent.before is None:
        return list(_spans(extent, "whole", 1, (extent.first, extent.last), size))
    return [
        *_spans(extent, "old", -1, extent.before, size),
        *_spans(extent, "new", 1, (extent.first, extent.last), size),
    ]


def _spans(extent: Extent, lines: str, sign: int, ids: tuple[int, int], size: int) -> Iterator[Span]:
    first, last = ids
    params = {"file": extent.file_id, "first": first, "last": last, "size": size, "headers": [*HEADER_KINDS]}
    for (number,) in _ask(_SPANS.format(lines=_LINES[lines]), params):
        start = first + number * size
        yield Span(sign, number, start, min(last, start + size - 1))


def read_span(extent: Extent, span: Span) -> dict[Group, list[PostedLine]]:
    """Return the lines of a span by group: groups as they first come, lines in their order."""
    lines = "whole" if extent.before is None else "old" if span.sign < 0 else "new"
    sql = _ROWS.format(lines=_LINES[lines], counts=_COUNTED if span.sign < 0 else _COUNTS)
    params = {
        "file": extent.file_id,
        "first": span.first,
        "last": span.last,
        "sign": span.sign,
        "headers": [*HEADER_KINDS],
    }
    groups: dict[Group, list[PostedLine]] = {}
    previous = 0
    for currency, batch, *values in _ask(sql, params):
        row = PostedLine._make((*values, values[0] == previous))
        previous = row.id
        groups.setdefault(Group(currency, batch), []).append(row)
    if span.sign > 0:
        return groups
    at = posted_as([row.id for rows in groups.values() for row in rows if row.subject_kind is None])
    return {group: [_where_it_is(row, at) for row in rows] for group, rows in groups.items()}


def _where_it_is(row: PostedLine, at: Mapping[int, int]) -> PostedLine:
    """A line of nothing we know that is taken back is taken back where it was posted first."""
    return row._replace(clearing_key=line_key(line_id=at[row.id])) if row.subject_kind is None else row


def _ask(sql: str, params: dict[str, Any]) -> Sequence[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()
