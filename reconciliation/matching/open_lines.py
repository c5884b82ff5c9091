"""The lines that are still open after the clear ones were matched, and what is known that they may be."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from core.ids import parse_public_id
from core.transactions import requires_transaction
from reconciliation.formats.references import was_a_number
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.kinds import KEY_SQL, MATCHED, MINOR_SQL, SELF_EXPLAINED
from reconciliation.matching.resolving import Known
from reconciliation.matching.sql import MOVEMENTS_SQL, channels_for, rows, whole_files
from reconciliation.matching.types import Movement, MovementKey, OpenLine
from reconciliation.models import ReconciliationRun

__all__ = ["find_open", "known_of", "lines_by_id", "to_match", "unknown_of"]

# Under which of our prefixes the provider may have been told of a movement.
_OURS = ("chg", "op")
_COLUMNS = f"""
    line.id, line.line_no, line.kind, line.raw_kind, line.reference, {KEY_SQL}, line.merchant_reference,
    line.batch, line.currency, {MINOR_SQL}, line.gross_minor, line.fee_minor, line.original_currency,
    line.original_minor, line.business_date, line.occurred_at, line.quarantine
"""
_OPEN = f"""
    SELECT {_COLUMNS} FROM reconciliation_settlementline AS line
    WHERE line.id BETWEEN %(first)s AND %(last)s
        AND (line.quarantine <> '' OR line.kind <> ALL(%(explained)s))
        AND NOT EXISTS (SELECT FROM reconciliation_match AS found WHERE found.line_id = line.id
            AND found.side = 'psp' AND found.live)
        AND NOT EXISTS (SELECT FROM reconciliation_discrepancy AS known WHERE known.line_id = line.id
            AND known.side = 'psp')
    ORDER BY line.id LIMIT %(most)s
"""  # noqa: S608 - fragments of ours
_BY_ID = f"""
    SELECT {_COLUMNS} FROM reconciliation_settlementline AS line WHERE line.id = ANY(%(ids)s) ORDER BY line.id
"""  # noqa: S608 - fragments of ours
_MOVEMENTS = f"""
    SELECT subject_kind, subject_id, nth, kind, coalesce(reference, ''),
        coalesce(our_key::text, our_reference, ''), clearing_key, currency, amount_minor, state
    FROM ({MOVEMENTS_SQL}) AS movement
"""  # noqa: S608 - fragments of ours
_TAKEN = """
    SELECT subject_kind, subject_id, nth, line_id, amount_minor + difference_minor
    FROM reconciliation_match WHERE subject_id = ANY(%(subjects)s) AND live AND how <> 'expected'
    ORDER BY id
"""


@requires_transaction
def find_open(number: int, *, most: int) -> list[OpenLine]:
    """Return the lines of a file that need a match and have none, at most `most` of them, in their order."""
    first, last = ids_of(number)
    params = {"first": first, "last": last, "explained": [str(kind) for kind in SELF_EXPLAINED], "most": most}
    with whole_files():
        return [OpenLine(*row) for row in rows(_OPEN, params)]


def lines_by_id(ids: Iterable[int]) -> dict[int, OpenLine]:
    """Return lines by their ids, read as they are matched."""
    return {row[0]: OpenLine(*row) for row in rows(_BY_ID, {"ids": list(ids)})}


def to_match(lines: Sequence[OpenLine]) -> list[OpenLine]:
    """Return those that a movement must stand behind."""
    return [line for line in lines if _has_movement(line)]


def unknown_of(lines: Sequence[OpenLine]) -> list[OpenLine]:
    """Return those that a person must read: of a kind that nobody knows, put aside, or with a name that a
    spreadsheet has destroyed."""
    return [line for line in lines if not _has_movement(line)]


def _has_movement(line: OpenLine) -> bool:
    return line.kind in MATCHED and not line.quarantine and not was_a_number(line.reference)


@requires_transaction
def known_of(run: ReconciliationRun, lines: Sequence[OpenLine]) -> Known:
    """Return the movements that these lines may be, and which of them are matched already."""
    base: dict[str, Any] = {"merchant": run.merchant_id, "channels": channels_for(run.source)}
    by_name = _grouped(
        _found("reference = ANY(%(wanted)s)", base, {line.name for line in lines if line.name}), 2
    )
    told = {
        line.merchant_reference: _key(line.merchant_reference) for line in lines if line.merchant_reference
    }
    keys = {key for key in told.values() if isinstance(key, UUID)}
    references = {key for key in told.values() if isinstance(key, str)}
    ours = _grouped(
        [
            *_found("our_key = ANY(%(wanted)s)", base, keys),
            *_found("our_reference = ANY(%(wanted)s)", base, references),
        ],
        3,
    )
    by_ours = {reference: ours.get(str(key), []) for reference, key in told.items()}
    every = {each.key for found in (*by_name.values(), *by_ours.values()) for each in found}
    return Known(by_name=by_name, by_ours=by_ours, taken=_taken(every))


def _found(condition: str, base: dict[str, Any], wanted: Collection[UUID | str]) -> list[Movement]:
    if not wanted:
        return []
    found = rows(f"{_MOVEMENTS} WHERE {condition}", {**base, "wanted": sorted(wanted)})
    return [Movement(MovementKey(*row[:3]), *row[3:]) for row in found]


def _grouped(movements: Iterable[Movement], place: int) -> dict[str, list[Movement]]:
    grouped: dict[str, list[Movement]] = defaultdict(list)
    for each in movements:
        grouped[str(each[place])].append(each)
    return grouped


def _key(reference: str) -> UUID | str:
    """Return the key that a public id of ours stands for; any other reference is our own text."""
    for prefix in _OURS:
        key = parse_public_id(reference, prefix)
        if key is not None:
            return key
    return reference


def _taken(keys: set[MovementKey]) -> dict[MovementKey, tuple[int, int]]:
    subjects: list[UUID] = sorted({key.subject_id for key in keys})
    found = rows(_TAKEN, {"subjects": subjects})
    return {MovementKey(*row[:3]): (row[3], row[4]) for row in found if MovementKey(*row[:3]) in keys}
