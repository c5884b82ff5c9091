"""Under which line the books have a line of nothing we know, where its file came more than once.

A version of a file posts only what changed: a line that says the same in the next one stays under the key of
the line that said it first. What is taken back later is taken back there.
"""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from core.ids import parse_public_id
from reconciliation.breaks import Side
from reconciliation.ingest.counting import ids_of
from reconciliation.matching.carry import SAME_SQL
from reconciliation.matching.sql import rows
from reconciliation.models import Discrepancy, LineChange, SettlementFile
from reconciliation.models.lines import LINE_BITS

__all__ = ["OF_A_MATCH", "posted_as"]

OF_A_MATCH = ("AMOUNT_MISMATCH", "FEE_DIFFERENCE", "FX_DIFFERENCE", "LATE")
"""Breaks of a line that has a movement: they are about the two of them."""
_NOT_UNKNOWN = (*OF_A_MATCH, "BATCH_TOTAL_MISMATCH", "BALANCE_MISMATCH", "MISSING_EXTERNAL")
_CHOSEN = f"SELECT new_id, old_id FROM ({SAME_SQL}) AS same WHERE new_id = ANY(%(wanted)s)"  # noqa: S608


def posted_as(line_ids: Collection[int]) -> dict[int, int]:
    """Return, by id, under which line's key the books have these lines, which were posted as nothing we know.

    A line that has a break is where its break began; one that explains itself is where it was said first.
    """
    found = _by_break(line_ids)
    return {**_by_what_they_say(set(line_ids) - found.keys()), **found}


def _by_break(line_ids: Collection[int]) -> dict[int, int]:
    broken = Discrepancy.objects.filter(line_id__in=list(line_ids), side=Side.PSP)
    begun = {
        row.line_id: row
        for row in broken.exclude(break_class__in=_NOT_UNKNOWN).order_by("pk")
        if row.line_id is not None
    }
    return {line_id: row.line_id or line_id for line_id, row in _beginnings(begun).items()}


def _beginnings(rows_of: Mapping[int, Discrepancy]) -> dict[int, Discrepancy]:
    """Go back, version by version, to the break with which each began."""
    found = dict(rows_of)
    while before := {line_id: key for line_id, row in found.items() if (key := _carried_from(row))}:
        earlier = Discrepancy.objects.in_bulk(set(before.values()))
        found |= {line_id: earlier[key] for line_id, key in before.items()}
    return found


def _carried_from(row: Discrepancy) -> UUID | None:
    said = row.explanation.get("carried_from")
    return parse_public_id(said, "dsc") if said else None


def _by_what_they_say(line_ids: Iterable[int]) -> dict[int, int]:
    found = {line_id: line_id for line_id in line_ids}
    open_ids = dict(found)
    while open_ids:
        earlier: dict[int, int] = {}
        for number, ids in _by_file(open_ids.values()).items():
            earlier |= _before(number, ids)
        open_ids = {line_id: earlier[at] for line_id, at in open_ids.items() if at in earlier}
        found |= open_ids
    return found


def _by_file(line_ids: Iterable[int]) -> dict[int, list[int]]:
    by_file: dict[int, list[int]] = {}
    for line_id in line_ids:
        by_file.setdefault(line_id >> LINE_BITS, []).append(line_id)
    return by_file


def _before(number: int, line_ids: Collection[int]) -> dict[int, int]:
    """Return the lines of the version before that said the same; none for what this version brought."""
    file = SettlementFile.objects.select_related("supersedes").get(number=number)
    if file.supersedes is None:
        return {}
    brought = LineChange.objects.filter(file_id=file.id, after__in=line_ids).values_list("after", flat=True)
    wanted = set(line_ids) - set(brought)
    if not wanted:
        return {}
    old, new = ids_of(file.supersedes.number), ids_of(number)
    params = {
        "old_first": old[0], "old_last": old[1], "new_first": new[0], "new_last": new[1],
        "file": file.id, "wanted": list(wanted),
    }  # fmt: skip
    return dict(rows(_CHOSEN, params))
