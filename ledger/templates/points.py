"""W2c: points, a private unit beside the money that they are worth.

Points and money each add up to zero by themselves; two positions, one in each unit, stand for what was
granted and not yet spent. The positions clear per grant: a spend says of which grants its points are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.templates.accounts import BuyerAccounts, SaleAccounts
from ledger.templates.capture import CapturedOrder, sale_legs
from ledger.templates.entry import Key, Posting, check_minor, credit, debit, entry, sum_minor
from ledger.types import EntryDraft

__all__ = ["PointsAccounts", "PointsLot", "points_grant_entry", "points_spend_entry"]


@dataclass(frozen=True)
class PointsAccounts:
    """The positions in money and in points, and the unit of the points."""

    money_position: int
    points_position: int
    unit: str = "PTS"


@dataclass(frozen=True)
class PointsLot:
    """Points of one grant, and what they are worth in minor units of the money.

    Parts of a grant are valued by `splits.cumulative_part`, so that the last part closes its position.
    """

    grant_id: Key
    points: int
    value_minor: int


def points_grant_entry(
    *, posting: Posting, accounts: PointsAccounts, promo: int, points_available: int, lot: PointsLot
) -> EntryDraft:
    """W2c, the grant. In money: Dr promo; Cr fx_position. In points: Dr fx_position; Cr points_available."""
    return entry(
        posting=posting,
        kind="points_granted",
        source="promotion",
        source_ref=lot.grant_id,
        leg="granted",
        legs=[
            debit(promo, lot.value_minor),
            credit(accounts.money_position, lot.value_minor, key=lot.grant_id),
            debit(accounts.points_position, lot.points, key=lot.grant_id, currency=accounts.unit),
            credit(points_available, lot.points, currency=accounts.unit),
        ],
    )


def points_spend_entry(
    *,
    posting: Posting,
    accounts: PointsAccounts,
    buyer: BuyerAccounts,
    sale: SaleAccounts,
    hold_id: UUID,
    lots: Sequence[PointsLot],
    orders: Sequence[CapturedOrder],
    released_points: int = 0,
) -> EntryDraft:
    """W2c, the confirm. In points: Dr points_held; Cr fx_position. In money: Dr fx_position; Cr the sale.

    `released_points` of the hold go back to points_available. Raises EntryUnbalanced when the orders cost
    something else than the lots are worth.
    """
    points = sum_minor(lot.points for lot in lots)
    return entry(
        posting=posting,
        kind="points_spent",
        source="hold",
        source_ref=hold_id,
        leg="resolved",
        legs=[
            debit(buyer.held, points + check_minor(released_points), currency=accounts.unit),
            *(
                credit(accounts.points_position, lot.points, key=lot.grant_id, currency=accounts.unit)
                for lot in lots
            ),
            credit(buyer.available, released_points, currency=accounts.unit),
            *(debit(accounts.money_position, lot.value_minor, key=lot.grant_id) for lot in lots),
            *sale_legs(accounts=sale, orders=orders),
        ],
    )
