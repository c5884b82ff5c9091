"""How others read runs, matches and breaks."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from core.errors import NotFound
from reconciliation.matching.types import BreakData, MatchData
from reconciliation.models import Discrepancy, Match

__all__ = ["breaks_of_run", "explain_line", "get_break", "matches_of_lines", "open_breaks_of"]

_HOW = {
    "exact": "The provider's reference stands for exactly this movement.",
    "tolerance": "The provider's reference stands for this movement; the amounts differ by rounding.",
    "group": "Several lines are one movement together, or one line is several movements.",
    "by_hand": "A person said so.",
}


def get_break(*, discrepancy_id: UUID, merchant_id: UUID | None = None) -> BreakData:
    """Return one break. Raises NotFound, also for another merchant's."""
    rows = Discrepancy.objects.filter(pk=discrepancy_id)
    row = (rows if merchant_id is None else rows.filter(merchant_id=merchant_id)).first()
    if row is None:
        raise NotFound()
    return _break(row)


def breaks_of_run(*, run_id: UUID, after: UUID | None = None, limit: int = 1_000) -> list[BreakData]:
    """Return breaks that a run found, in their order, those after a key."""
    rows = Discrepancy.objects.filter(run_id=run_id)
    rows = rows if after is None else rows.filter(pk__gt=after)
    return [_break(row) for row in rows.order_by("pk")[:limit]]


def open_breaks_of(
    *, merchant_id: UUID, category: str | None = None, limit: int = 200, after: UUID | None = None
) -> list[BreakData]:
    """Return a merchant's breaks that are not resolved, newest first, those before a key."""
    rows = Discrepancy.objects.filter(merchant_id=merchant_id).exclude(status="RESOLVED")
    rows = rows if category is None else rows.filter(category=category)
    rows = rows if after is None else rows.filter(pk__lt=after)
    return [_break(row) for row in rows.order_by("-pk")[:limit]]


def matches_of_lines(*, line_ids: Collection[int], side: str = "psp") -> dict[int, list[MatchData]]:
    """Return the matches that hold, by line; a line of a group may have several."""
    found: dict[int, list[MatchData]] = {}
    for row in Match.objects.filter(line_id__in=line_ids, side=side, live=True).order_by(
        "line_id", "line_part"
    ):
        assert row.line_id is not None
        found.setdefault(row.line_id, []).append(_match(row))
    return found


def explain_line(*, line_id: int, side: str = "psp") -> dict[str, Any]:
    """Return how a line ended: its matches and its breaks, with the steps that were tried.

    With neither, the line explains itself (a fee, a payout …) or its file is still to be matched.
    """
    matches = matches_of_lines(line_ids=[line_id], side=side).get(line_id, [])
    breaks = Discrepancy.objects.filter(line_id=line_id, side=side).order_by("pk")
    return {
        "matches": [
            {
                "id": each.id,
                "how": each.how,
                "rule": each.rule,
                "says": _HOW.get(each.how, ""),
                "movement": {"kind": each.subject_kind, "id": str(each.subject_id), "nth": each.nth},
                "amount_minor": str(each.amount_minor),
                "difference_minor": str(each.difference_minor),
                "clearing_key": each.clearing_key,
                "group": each.group_key or None,
            }
            for each in matches
        ],
        "breaks": [
            {"id": row.public_id, "class": row.break_class, "status": row.status, **row.explanation}
            for row in breaks
        ],
    }


def _break(row: Discrepancy) -> BreakData:
    return BreakData(
        id=row.id,
        public_id=row.public_id,
        merchant_id=row.merchant_id,
        source_id=row.source_id,
        run_id=row.run_id,
        file_id=row.file_id,
        break_class=row.break_class,
        category=row.category,
        side=row.side,
        line_id=row.line_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        clearing_key=row.clearing_key,
        currency=row.currency,
        amount_minor=row.amount_minor,
        summary=row.summary,
        explanation=row.explanation,
        rule_name=row.rule_name,
        rule_version=row.rule_version,
        owner=row.owner,
        business_date=row.business_date,
        due_at=row.due_at,
        status=row.status,
        resolution=row.resolution,
    )


def _match(row: Match) -> MatchData:
    return MatchData(
        id=row.id,
        run_id=row.run_id,
        side=row.side,
        line_id=row.line_id,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        nth=row.nth,
        how=row.how,
        rule=row.rule,
        group_key=row.group_key,
        clearing_key=row.clearing_key,
        amount_minor=row.amount_minor,
        difference_minor=row.difference_minor,
        clear_by=row.clear_by,
    )
