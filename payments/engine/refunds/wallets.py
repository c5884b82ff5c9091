"""What of a refund goes back into which of the wallets that paid: pro rata, and points in whole points.

Every kind stays what it was: cash comes back as cash, a bonus as a bonus, points to the grants that they were
of. The rule is the one by which sellers, marketplace and tax give it (`ledger.templates.splits`): after every
refund each kind has had back its share of what went back so far, and the last refund closes each to zero.
Points are worth what they paid with. Of them, what is not a whole point waits for a later refund, and the
other kinds give it meanwhile.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from ledger.templates.rounding import half_up
from ledger.templates.splits import refund_parts
from payments.errors import RefundNotInWholePoints

__all__ = ["Lot", "PaidPart", "PartBack", "divide_among_wallets"]


@dataclass(frozen=True)
class Lot:
    """Points of one grant that paid, and what went back of them: in points, and in minor units of money."""

    grant_id: UUID
    units_minor: int
    value_minor: int
    units_back: int = 0
    value_back: int = 0

    @property
    def left_minor(self) -> int:
        """Return what of its worth did not go back yet."""
        return self.value_minor - self.value_back


@dataclass(frozen=True)
class PaidPart:
    """What one wallet paid of an order, in minor units of its currency; points by grant, the oldest first."""

    part_id: UUID
    amount_minor: int
    amount_back: int
    lots: tuple[Lot, ...] = ()


@dataclass(frozen=True)
class PartBack:
    """What one wallet gets back of a refund: `units_minor` of the wallet, worth `amount_minor`."""

    part_id: UUID
    amount_minor: int
    units_minor: int
    grant_id: UUID | None = None


def divide_among_wallets(*, parts: Sequence[PaidPart], amount_minor: int) -> list[PartBack]:
    """Return what each wallet gets back of one refund of an order; together exactly `amount_minor`.

    Raises RefundNotInWholePoints where no number of whole points makes up for what only points can give, and
    ValueError when more is refunded than is left.
    """
    shares = _shares(parts, amount_minor)
    at = next((place for place, part in enumerate(parts) if part.lots), None)
    if at is None:
        return _money(parts, shares)
    others = [part for part in parts if not part.lots]
    room = sum(part.amount_minor - part.amount_back for part in others)
    lots = parts[at].lots
    within = _within(lots, shares[at])
    for points in (within, _one_more(lots, within)):
        rest = amount_minor - sum(each.value_back for each in points)
        if 0 <= rest <= room:
            money = dict(zip([each.part_id for each in others], _shares(others, rest), strict=True))
            given = [_money([part], [money[part.part_id]]) for part in others]
            given.insert(at, [_points(parts[at].part_id, lot) for lot in points])
            return [back for each in given for back in each]
    raise RefundNotInWholePoints(param="amount")


def _shares(parts: Sequence[PaidPart], amount_minor: int) -> tuple[int, ...]:
    return refund_parts(
        totals=[part.amount_minor for part in parts],
        returned=[part.amount_back for part in parts],
        amount_minor=amount_minor,
    )


def _money(parts: Iterable[PaidPart], amounts: Iterable[int]) -> list[PartBack]:
    found = zip(parts, amounts, strict=True)
    return [PartBack(part.part_id, amount, amount) for part, amount in found if amount]


def _points(part_id: UUID, back: Lot) -> PartBack:
    return PartBack(part_id, back.value_back, back.units_back, back.grant_id)


def _within(lots: Sequence[Lot], most: int) -> list[Lot]:
    """Return what goes back now for at most so much money: of what was used last, first."""
    given = []
    for lot in reversed(lots):
        units, value = _of_lot(lot, most)
        if units:
            given.append(replace(lot, units_back=units, value_back=value))
            most -= value
    return given


def _one_more(lots: Sequence[Lot], given: Sequence[Lot]) -> list[Lot]:
    """Return the same with the one point more that is worth least; the same where nothing is left."""
    now = {each.grant_id: (each.units_back, each.value_back) for each in given}
    steps = []
    for place, lot in enumerate(reversed(lots)):
        units, value = now.get(lot.grant_id, (0, 0))
        then = replace(lot, units_back=lot.units_back + units, value_back=lot.value_back + value)
        if then.left_minor:
            steps.append((_next_worth(then), place, lot.grant_id, then))
    if not steps:
        return list(given)
    worth, _, grant_id, then = min(steps, key=lambda step: step[:2])
    more, value = _of_lot(then, worth)
    before = now.get(grant_id, (0, 0))
    now[grant_id] = (before[0] + more, before[1] + value)
    return [
        replace(lot, units_back=now[lot.grant_id][0], value_back=now[lot.grant_id][1])
        for lot in reversed(lots)
        if lot.grant_id in now
    ]


def _of_lot(lot: Lot, most: int) -> tuple[int, int]:
    """Return the points that go back of a lot for at most so much money, and what they are worth.

    The points that went back are always worth round(value x points / all points); the last point brings the
    last of the worth with it, and never one without the other.
    """
    if most >= lot.left_minor:
        return lot.units_minor - lot.units_back, lot.left_minor
    if most <= 0:
        return 0, 0
    due = lot.value_back + most
    if lot.units_minor >= lot.value_minor:
        # Every amount is worth some number of points: the nearest.
        units, value = half_up(lot.units_minor * due, lot.value_minor), due
    else:
        # The most points that are worth no more.
        units = (lot.units_minor * (2 * due + 1) - 1) // (2 * lot.value_minor)
        value = half_up(lot.value_minor * units, lot.units_minor)
    # Refunds that were canceled may have left other numbers behind than the rule would.
    units = max(units, lot.units_back + 1) if value > lot.value_back else units
    if lot.units_back < units < lot.units_minor and value > lot.value_back:
        return units - lot.units_back, value - lot.value_back
    return 0, 0


def _next_worth(lot: Lot) -> int:
    """Return the least money for which a point of a lot goes back; something is left of it."""
    # The fewest points that are worth more, half up, than what went back.
    units = -(-lot.units_minor * (2 * lot.value_back + 1) // (2 * lot.value_minor))
    if max(units, lot.units_back + 1) < lot.units_minor:
        return half_up(lot.value_minor * units, lot.units_minor) - lot.value_back
    return lot.left_minor
