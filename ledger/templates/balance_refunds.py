"""W7b and W7c: what buyers' wallets paid goes back to the very wallets, each kind as what it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ledger.templates.accounts import ReturnAccounts
from ledger.templates.entry import Leg, Posting, credit, debit, entry, sum_minor
from ledger.templates.points import PointsAccounts, PointsLot
from ledger.templates.refunds import ReturnedOrder, return_legs
from ledger.types import EntryDraft

__all__ = ["MoneyBack", "PointsBack", "balance_refund_entry"]


@dataclass(frozen=True)
class MoneyBack:
    """What one wallet of cash or bonus gets back, in minor units of the order's currency."""

    available: int
    amount_minor: int


@dataclass(frozen=True)
class PointsBack:
    """Which points a wallet gets back, grant by grant, with what each grant's points are worth."""

    accounts: PointsAccounts
    available: int
    lots: Sequence[PointsLot]


def balance_refund_entry(
    *,
    posting: Posting,
    accounts: ReturnAccounts,
    refund_id: UUID,
    orders: Sequence[ReturnedOrder],
    money: Sequence[MoneyBack],
    points: Sequence[PointsBack],
) -> EntryDraft:
    """The contrary of W2b and W2c: a refund to the wallets that paid. As R1, but Cr each wallet's available.

    Points come back out of the positions that took them in, grant by grant: in money Cr fx_position, in
    points Dr fx_position; Cr points_available. It has the same leg as R1, so that a refund goes one way only.
    Raises EntryUnbalanced when the sellers and the marketplace give something else than the wallets get.
    """
    return entry(
        posting=posting,
        kind="refund_to_balance",
        source="refund",
        source_ref=refund_id,
        leg="accepted",
        legs=[
            *return_legs(accounts, orders),
            *(credit(each.available, each.amount_minor) for each in money),
            *(leg for each in points for leg in _points_legs(each)),
        ],
    )


def _points_legs(back: PointsBack) -> list[Leg]:
    accounts, lots = back.accounts, back.lots
    count = sum_minor(lot.points for lot in lots)
    return [
        *(credit(accounts.money_position, lot.value_minor, key=lot.grant_id) for lot in lots),
        *(
            debit(accounts.points_position, lot.points, key=lot.grant_id, currency=accounts.unit)
            for lot in lots
        ),
        credit(back.available, count, currency=accounts.unit),
    ]
