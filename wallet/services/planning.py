"""Which of a buyer's wallets pay how much of what: kind by kind in the order wished for, to the last unit."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q

from core.transactions import requires_transaction
from wallet.locks import lock_grants, lock_wallets
from wallet.models import Grant, Wallet
from wallet.points import points_for
from wallet.services.accounts import POINTS
from wallet.types import Bill, PlannedPart, PointsPart

__all__ = ["plan_cash", "plan_spending"]


@dataclass
class _Lot:
    """What is left of one grant of points while a plan is made."""

    grant_id: UUID
    currency: str
    amount_minor: int
    value_minor: int
    used_minor: int
    used_value_minor: int


@dataclass
class _Purse:
    """What a buyer has while a plan is made."""

    wallets: dict[tuple[str, str], UUID]
    left: dict[UUID, int]
    lots: list[_Lot]


@requires_transaction
def plan_spending(
    *,
    merchant_id: UUID,
    buyer_id: UUID,
    kinds: Sequence[str],
    bills: Sequence[Bill],
    sellers: Collection[UUID] = (),
) -> list[tuple[PlannedPart, ...] | None]:
    """Return for each bill what pays it, in the order of the bills; None for one that is not covered.

    Locks the buyer's wallets of these kinds, with those of the `sellers` that the caller will credit, all by
    id, so that what was planned is what the posting meets. Points pay in the currency in which they were
    granted, in whole points: where one point is worth more than what is left to pay, the next kind pays it.
    """
    currencies = {bill.currency for bill in bills}
    mine = Q(owner_type="buyer", owner_id=buyer_id, kind__in=kinds, currency__in={*currencies, POINTS})
    theirs = Q(owner_type="seller", owner_id__in=list(sellers), currency__in=currencies)
    rows = list(Wallet.objects.filter(mine | theirs, merchant_id=merchant_id))
    locked = lock_wallets(merchant_id=merchant_id, wallet_ids=[row.id for row in rows])
    left = {wallet_id: each.available_minor for wallet_id, each in locked.items()}
    wallets = {(row.currency, row.kind): row.id for row in rows if row.owner_type == "buyer"}
    points = wallets.get((POINTS, "points"))
    lots = [_lot(row) for row in lock_grants(wallet_id=points, currencies=currencies)] if points else []
    purse = _Purse(wallets, left, lots)
    return [_plan(purse, kinds, bill) for bill in bills]


@requires_transaction
def plan_cash(
    *, merchant_id: UUID, buyer_id: UUID, bills: Sequence[Bill]
) -> list[tuple[PlannedPart, ...] | None]:
    """Return the same for cash alone and for all bills or none, which needs neither a look nor a lock.

    Whether it is enough, the posting says: it raises InsufficientFunds.
    """
    currencies = {bill.currency for bill in bills}
    rows = Wallet.objects.filter(
        merchant_id=merchant_id, owner_type="buyer", owner_id=buyer_id, kind="cash", currency__in=currencies
    )
    wallets = dict(rows.values_list("currency", "id"))
    return [
        (PlannedPart(wallets[bill.currency], "cash", bill.currency, bill.amount_minor, bill.amount_minor),)
        if bill.currency in wallets
        else None
        for bill in bills
    ]


def _plan(purse: _Purse, kinds: Sequence[str], bill: Bill) -> tuple[PlannedPart, ...] | None:
    need, parts = bill.amount_minor, []
    for kind in kinds:
        if kind == "points":
            part = _of_points(purse, bill.currency, need)
        else:
            part = _of_money(purse, kind, bill.currency, need)
        if part is not None:
            parts.append(part)
            need -= part.value_minor
    if need:
        return None
    for part in parts:
        _take(purse, part)
    return tuple(parts)


def _of_money(purse: _Purse, kind: str, currency: str, need: int) -> PlannedPart | None:
    wallet_id = purse.wallets.get((currency, kind))
    amount = min(need, purse.left[wallet_id]) if wallet_id else 0
    return PlannedPart(wallet_id, kind, currency, amount, amount) if wallet_id and amount else None


def _of_points(purse: _Purse, currency: str, need: int) -> PlannedPart | None:
    wallet_id, taken = purse.wallets.get((POINTS, "points")), []
    for lot in purse.lots if wallet_id else ():
        units, value = 0, 0
        if need and lot.currency == currency:
            units, value = points_for(
                amount_minor=lot.amount_minor,
                value_minor=lot.value_minor,
                used_minor=lot.used_minor,
                used_value_minor=lot.used_value_minor,
                need_minor=need,
            )
        if units:
            taken.append(PointsPart(lot.grant_id, units, value))
            need -= value
    if wallet_id is None or not taken:
        return None
    units, value = sum(each.units_minor for each in taken), sum(each.value_minor for each in taken)
    return PlannedPart(wallet_id, "points", POINTS, units, value, tuple(taken))


def _take(purse: _Purse, part: PlannedPart) -> None:
    purse.left[part.wallet_id] -= part.units_minor
    lots = {lot.grant_id: lot for lot in purse.lots}
    for each in part.points:
        lots[each.grant_id].used_minor += each.units_minor
        lots[each.grant_id].used_value_minor += each.value_minor


def _lot(row: Grant) -> _Lot:
    return _Lot(row.id, row.currency, row.amount_minor, row.value_minor, row.used_minor, row.used_value_minor)
