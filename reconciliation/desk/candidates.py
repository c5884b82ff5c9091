"""What a line without a movement may be, or a movement without a line: the nearest that are still alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from reconciliation.breaks import BreakClass, Side
from reconciliation.desk.movements import MovementAtDesk, find_movements
from reconciliation.matching.kinds import is_net
from reconciliation.matching.types import MovementKey
from reconciliation.models import Discrepancy, Match, SettlementLine
from reconciliation.resolving.facts import facts_of

__all__ = ["LineCandidate", "MovementCandidate", "candidate_lines", "candidate_movements"]

# Of a source's movements without a line, those are looked at that have waited longest.
_LOOKED_AT = 5_000
_NEAREST = 20
_LINE_BREAKS = (
    BreakClass.MISSING_INTERNAL,
    BreakClass.REFERENCE_COLLISION,
    BreakClass.CURRENCY_MISMATCH,
    BreakClass.STATUS_MISMATCH,
    BreakClass.DUPLICATE_EXTERNAL,
)


@dataclass(frozen=True)
class MovementCandidate:
    """A movement that has no line yet; `difference_minor` is the line's amount less the movement's."""

    movement: MovementAtDesk
    difference_minor: int

    @property
    def name(self) -> str:
        """Its name for good, in one word."""
        return ":".join(str(each) for each in self.movement.key)


@dataclass(frozen=True)
class LineCandidate:
    """A line that no movement of ours is known for, with the break that it has."""

    public_id: str
    break_class: str
    summary: str
    currency: str
    amount_minor: int
    difference_minor: int


def candidate_movements(*, discrepancy_id: UUID, limit: int = 5) -> list[MovementCandidate]:
    """Return the movements that wait for a line and are nearest to a break's line, nearest first.

    Those of another kind, currency or direction are none. Empty for a break whose line has a movement, or
    that has no line of a provider.
    """
    row = Discrepancy.objects.select_related("source").filter(pk=discrepancy_id).first()
    if (
        row is None
        or row.source is None
        or row.source_id is None
        or row.side != Side.PSP
        or row.line_id is None
    ):
        return []
    facts = facts_of(row)
    line = facts.line
    if facts.is_matched or not isinstance(line, SettlementLine):
        return []
    said = {line.currency: line.net_minor if is_net(line.kind) else line.gross_minor}
    if line.original_minor is not None and line.original_currency:
        said.setdefault(line.original_currency, line.original_minor)
    found = [
        MovementCandidate(each, said[each.currency] - each.amount_minor)
        for each in find_movements(row.source, _nearest(row.source_id, list(said.values())))
        if each.state == "final"
        and each.kind == line.kind
        and said.get(each.currency, 0) * each.amount_minor > 0
    ]
    found.sort(key=lambda each: (abs(each.difference_minor), each.name))
    return found[:limit]


def candidate_lines(*, discrepancy_id: UUID, limit: int = 5) -> list[LineCandidate]:
    """Return the breaks of lines that may be what a movement waits for, nearest first.

    Empty for any break but one of a movement that no file has.
    """
    row = Discrepancy.objects.filter(pk=discrepancy_id, break_class=BreakClass.MISSING_EXTERNAL).first()
    if row is None or row.source_id is None:
        return []
    known = Discrepancy.objects.filter(
        merchant_id=row.merchant_id,
        source_id=row.source_id,
        side=row.side,
        currency=row.currency,
        break_class__in=_LINE_BREAKS,
        line_id__isnull=False,
    ).exclude(status="RESOLVED")
    found = [
        LineCandidate(
            each.public_id,
            each.break_class,
            each.summary,
            each.currency,
            each.amount_minor,
            each.amount_minor - row.amount_minor,
        )
        for each in known.order_by("due_at", "pk")[:_LOOKED_AT]
    ]
    found.sort(key=lambda each: (abs(each.difference_minor), each.public_id))
    return found[:limit]


def _nearest(source_id: UUID, amounts: Sequence[int]) -> list[MovementKey]:
    waiting = Match.objects.filter(source_id=source_id, how="expected", live=True).order_by("clear_by", "pk")
    found = waiting.values_list("subject_kind", "subject_id", "nth", "amount_minor")[:_LOOKED_AT]
    near = sorted(found, key=lambda each: (min(abs(each[3] - minor) for minor in amounts), each[1]))
    return [MovementKey(kind, subject, nth) for kind, subject, nth, _ in near[:_NEAREST]]
