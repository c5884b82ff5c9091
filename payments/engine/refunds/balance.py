"""Refunds of orders that a balance paid: what the wallets paid and got back, and the entry that gives it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db.models import Sum

from core import clock
from core.ids import public_id
from core.rows import new_row
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.accounts import ReturnAccounts
from ledger.templates.balance_refunds import MoneyBack, PointsBack, balance_refund_entry
from ledger.templates.entry import Posting
from ledger.templates.points import PointsAccounts, PointsLot
from ledger.templates.refunds import ReturnedOrder, wallet_refund_entry
from ledger.types import EntryDraft
from payments.engine.balance_entries import POINTS
from payments.engine.refunds.wallets import Lot, PaidPart, divide_among_wallets
from payments.models import BalancePart, Refund, RefundPart
from payments.states import REFUND_DEAD
from wallet.selectors import accounts_of
from wallet.services import points_of, return_points
from wallet.types import PointsPart

__all__ = ["give_points_back", "is_paid_from_balance", "parts_back", "to_balance"]


def is_paid_from_balance(*, order_id: UUID) -> bool:
    """Say whether the buyer's wallets paid an order."""
    return BalancePart.objects.filter(order_id=order_id, paid=True).exists()


@requires_transaction
def parts_back(*, refund: Refund, order_id: UUID) -> list[RefundPart]:
    """Return the rows of what each wallet gets back of a new refund of a locked order, in order of payment.

    What refunds that wait for a second person will give counts as given. Raises RefundNotInWholePoints.
    """
    paid = {row.id: row for row in BalancePart.objects.filter(order_id=order_id, paid=True)}
    in_order = sorted(paid.values(), key=lambda row: row.position)
    shares = divide_among_wallets(parts=_paid_parts(in_order), amount_minor=refund.amount_minor)
    rows = [
        new_row(
            RefundPart,
            merchant_id=refund.merchant_id,
            refund_id=refund.id,
            balance_part_id=back.part_id,
            grant_id=back.grant_id,
            amount_minor=back.amount_minor,
            units_minor=back.units_minor,
        )
        for back in shares
    ]
    for row in rows:
        row.balance_part = paid[row.balance_part_id]
    return rows


@requires_transaction
def give_points_back(refund: Refund, parts: Sequence[RefundPart]) -> None:
    """Give points back to their grants; their wallet is locked, and `to_balance` credits it."""
    by_hold: dict[UUID, list[PointsPart]] = defaultdict(list)
    for part in parts:
        if part.grant_id is not None:
            points = PointsPart(part.grant_id, part.units_minor, part.amount_minor)
            by_hold[part.balance_part.hold_id].append(points)
    for hold_id, points_back in by_hold.items():
        return_points(
            merchant_id=refund.merchant_id,
            hold_id=hold_id,
            reference=public_id("re", refund.id),
            points=points_back,
        )


@requires_transaction
def to_balance(
    refund: Refund, parts: Sequence[RefundPart], accounts: ReturnAccounts, returned: Sequence[ReturnedOrder]
) -> EntryDraft:
    """Return the entry that credits the wallets: W7 where all of it is cash, else W7b and W7c in one."""
    merchant_id, currency = refund.merchant_id, str(refund.amount_currency)
    posting = Posting(merchant_id, currency, clock.today())
    available = {
        part.balance_part.kind: _available(merchant_id, part.balance_part.wallet_id, part.balance_part.kind)
        for part in parts
    }
    if available.keys() == {"cash"}:
        return wallet_refund_entry(
            posting=posting,
            accounts=accounts,
            wallet_available=available["cash"],
            refund_id=refund.id,
            orders=returned,
        )
    lots = [
        PointsLot(part.grant_id, part.units_minor, part.amount_minor)
        for part in parts
        if part.grant_id is not None
    ]
    return balance_refund_entry(
        posting=posting,
        accounts=accounts,
        refund_id=refund.id,
        orders=returned,
        money=[
            MoneyBack(available[part.balance_part.kind], part.amount_minor)
            for part in parts
            if part.grant_id is None
        ],
        points=[PointsBack(_positions(merchant_id, currency), available["points"], lots)] if lots else [],
    )


def _paid_parts(rows: Sequence[BalancePart]) -> list[PaidPart]:
    points = points_of(hold_ids=[row.hold_id for row in rows if row.kind == "points"])
    back = _back_so_far(rows)
    return [
        PaidPart(
            part_id=row.id,
            amount_minor=row.amount_minor,
            amount_back=sum(minor for (part, _), (minor, _) in back.items() if part == row.id),
            lots=tuple(_lot(row.id, each, back) for each in points.get(row.hold_id, ())),
        )
        for row in rows
    ]


def _lot(part_id: UUID, each: PointsPart, back: Mapping[tuple[UUID, UUID | None], tuple[int, int]]) -> Lot:
    value_back, units_back = back.get((part_id, each.grant_id), (0, 0))
    return Lot(each.grant_id, each.units_minor, each.value_minor, units_back, value_back)


def _back_so_far(rows: Sequence[BalancePart]) -> dict[tuple[UUID, UUID | None], tuple[int, int]]:
    """What went back of each part and grant, or is reserved for it: in money, and in units of the wallet."""
    live = RefundPart.objects.filter(balance_part__in=rows).exclude(refund__status__in=REFUND_DEAD)
    sums = live.values("balance_part_id", "grant_id").annotate(
        money=Sum("amount_minor"), units=Sum("units_minor")
    )
    return {
        (each["balance_part_id"], each["grant_id"]): (int(each["money"]), int(each["units"])) for each in sums
    }


def _available(merchant_id: UUID, wallet_id: UUID, kind: str) -> int:
    accounts = accounts_of(merchant_id=merchant_id, wallet_id=wallet_id)
    return accounts["wallet_available" if kind == "cash" else f"{kind}_available"]


def _positions(merchant_id: UUID, currency: str) -> PointsAccounts:
    return PointsAccounts(
        money_position=open_account(merchant_id=merchant_id, role="fx_position", currency=currency),
        points_position=open_account(merchant_id=merchant_id, role="fx_position", currency=POINTS),
    )
