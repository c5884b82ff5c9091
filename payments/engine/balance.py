"""Payments from the buyer's balance: held, settled and released with the orders, without any provider.

Every order has a hold of its own in each wallet that pays it. Such holds have no time of their own: they end
with the order, when it is paid, declined, canceled or expired.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from core import clock
from core.errors import NotFound
from core.history import Changes
from core.ids import public_id, uuid7
from core.rows import new_row
from core.settings_store import get_setting
from core.transactions import requires_transaction
from ledger.templates.capture import Share
from ledger.templates.splits import refund_parts
from ledger.types import EntryDraft
from merchants.selectors import find_buyer
from payments.engine.assessment import note_balance_paid
from payments.engine.balance_entries import part_entries, seller_pending
from payments.engine.capture import share_row, shares_of
from payments.engine.facts import uncharged_fact
from payments.engine.methods import BALANCE
from payments.engine.refunds.compensation import note_checkout_totals
from payments.errors import BuyerAccountRequired, CaptureUnsupported, PaymentMethodUnavailable
from payments.models import BalancePart, PaymentEvent, PaymentOrder
from payments.releases.schedule import release_plans
from payments.types import BalancePartData
from wallet.errors import InsufficientFunds
from wallet.services import (
    hold_parts,
    pay_parts,
    plan_cash,
    plan_spending,
    points_of,
    release_parts,
    settle_parts,
)
from wallet.types import Bill, HoldData, PartHold, PlannedPart

__all__ = [
    "SHORT",
    "Purse",
    "hold_orders",
    "parts_of_order",
    "pay_orders",
    "purse_of",
    "release_orders",
    "settle_orders",
]

# Under best_effort an order that the balance does not cover fails, and the others are paid.
SHORT: dict[str, Any] = {
    "code": "balance_too_low",
    "message": "The balance does not cover this order. Use another payment method.",
    "decline_code": None,
    "retryable": True,
}


@dataclass(frozen=True)
class Purse:
    """Whose wallets pay, and of which kinds in which order; no buyer where nobody is known by that name."""

    buyer_id: UUID | None
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class _Paid:
    """An order with what pays it and what it becomes."""

    order: PaymentOrder
    share: Share
    parts: tuple[PlannedPart, ...]


@requires_transaction
def purse_of(*, merchant_id: UUID, buyer_account: str, kinds: Sequence[str], capture: str) -> Purse:
    """Return from what a balance payment is to be made.

    Raises BuyerAccountRequired, PaymentMethodUnavailable where the merchant has it switched off, and
    CaptureUnsupported: what is held in a wallet is not captured bit by bit.
    """
    if not buyer_account:
        raise BuyerAccountRequired(param="buyer_info.buyer_account")
    if not get_setting(name=BALANCE.name, scope=public_id("mer", merchant_id)):
        raise PaymentMethodUnavailable(param="payment_method")
    if capture != "automatic":
        raise CaptureUnsupported(param="capture")
    try:
        buyer = find_buyer(merchant_id=merchant_id, reference=buyer_account)
    except NotFound:
        return Purse(None, tuple(kinds))
    return Purse(buyer.id, tuple(kinds))


@requires_transaction
def pay_orders(
    checkout: PaymentEvent,
    orders: Sequence[PaymentOrder],
    purse: Purse,
    changes: Changes,
    *,
    by: str,
    why: str,
) -> None:
    """Pay NOT_STARTED orders at once: W3 with W4, W2b or W2c, shares, orders SUCCESS.

    All or none of them; under best_effort those that the balance covers, in their order, and the others fail.
    Raises InsufficientFunds, here or at `changes.save()`, when it covers not even one.
    """
    paid = _plan(checkout, orders, purse, changes, by=by, why=why, credits_sellers=True)
    for each in paid:
        _begin(checkout, each.order, changes, by=by, why=why)
    rows, holds = _parts(paid)
    shares = {id(row): each for row, each in zip(rows, _each_part(paid), strict=True)}

    def entries(placed: Sequence[HoldData]) -> Callable[[], Sequence[EntryDraft]]:
        for row, hold in zip(rows, placed, strict=True):
            row.hold_id, row.paid = hold.id, True
        points = {row.hold_id: shares[id(row)].points for row in rows}
        return lambda: part_entries(rows, {each.order.id: each.order for each in paid}, points)

    pay_parts(merchant_id=checkout.merchant_id, parts=holds, entries=entries, changes=changes, by=by, why=why)
    changes.insert(rows)
    _succeed(checkout, {each.order: each.share for each in paid}, changes, by=by)


@requires_transaction
def hold_orders(
    checkout: PaymentEvent,
    orders: Sequence[PaymentOrder],
    purse: Purse,
    changes: Changes,
    *,
    by: str,
    why: str,
) -> list[PaymentOrder]:
    """Hold what pays NOT_STARTED orders until somebody has decided (W3); return those that are held.

    Raises as `pay_orders`, and fails the same orders.
    """
    held = _plan(checkout, orders, purse, changes, by=by, why=why, credits_sellers=False)
    rows, holds = _parts(held)
    placed = hold_parts(merchant_id=checkout.merchant_id, parts=holds, changes=changes, by=by, why=why)
    for row, hold in zip(rows, placed, strict=True):
        row.hold_id = hold.id
    changes.insert(rows)
    return [each.order for each in held]


@requires_transaction
def settle_orders(
    checkout: PaymentEvent, orders: Sequence[PaymentOrder], changes: Changes, *, by: str, why: str
) -> None:
    """Pay NOT_STARTED orders with what is held for them: W4, W2b or W2c, shares, orders SUCCESS."""
    by_id = {order.id: order for order in orders}
    rows = _open_parts(orders)
    points = points_of(hold_ids=[row.hold_id for row in rows])
    for order in orders:
        _begin(checkout, order, changes, by=by, why=why)
    settle_parts(
        merchant_id=checkout.merchant_id,
        hold_ids=[row.hold_id for row in rows],
        entries=lambda: part_entries(rows, by_id, points),
        changes=changes,
        by=by,
    )
    changes.run("UPDATE payments_balancepart SET paid = true WHERE id = ANY (%s)", [[row.id for row in rows]])
    _succeed(checkout, {order: _sum_of(rows, order) for order in orders}, changes, by=by)


@requires_transaction
def release_orders(orders: Sequence[PaymentOrder], changes: Changes, *, by: str, why: str) -> None:
    """Give back what is held for orders that will not be paid with it (W6); nothing where nothing is held."""
    rows = _open_parts(orders)
    if not rows:
        return
    changes.run(
        "UPDATE payments_balancepart SET released = true WHERE id = ANY (%s)", [[row.id for row in rows]]
    )
    hold_ids = [row.hold_id for row in rows]
    merchant_id = rows[0].merchant_id
    release_parts(merchant_id=merchant_id, hold_ids=hold_ids, changes=changes, by=by, why=why[:200])


def parts_of_order(*, order_id: UUID) -> list[BalancePartData]:
    """Return what each of the buyer's wallets paid of an order, in the order of payment: for its refunds.

    Empty for an order that was paid otherwise, or not at all.
    """
    rows = BalancePart.objects.filter(order_id=order_id, paid=True).order_by("position")
    return [
        BalancePartData(
            id=row.id,
            wallet_id=row.wallet_id,
            hold_id=row.hold_id,
            kind=row.kind,
            amount_minor=row.amount_minor,
            units_minor=row.units_minor,
            seller_net_minor=row.seller_net_minor,
            commission_minor=row.commission_minor,
            tax_minor=row.tax_minor,
        )
        for row in rows
    ]


def _plan(
    checkout: PaymentEvent,
    orders: Sequence[PaymentOrder],
    purse: Purse,
    changes: Changes,
    *,
    by: str,
    why: str,
    credits_sellers: bool,
) -> list[_Paid]:
    """Return the orders that the balance covers; the others have failed."""
    if purse.buyer_id is None:
        raise InsufficientFunds()
    shares = shares_of(merchant_id=checkout.merchant_id, orders=orders, at=checkout.created_at)
    is_partly = checkout.multi_order_policy == "best_effort" and len(orders) > 1
    planned = _planned(purse.buyer_id, orders, purse.kinds, is_partly, credits_sellers)
    covered = [
        _Paid(order, shares[order.position], parts)
        for order, parts in zip(orders, planned, strict=True)
        if parts is not None
    ]
    if not covered or (None in planned and not is_partly):
        raise InsufficientFunds()
    for order, parts in zip(orders, planned, strict=True):
        if parts is None:
            fact = uncharged_fact(checkout, order, "failed")
            changes.move(order, order.to_failed, why="balance too low", by=by, fact=fact, failure=SHORT)
    return covered


def _planned(
    buyer_id: UUID,
    orders: Sequence[PaymentOrder],
    kinds: tuple[str, ...],
    is_partly: bool,
    credits_sellers: bool,
) -> list[tuple[PlannedPart, ...] | None]:
    merchant_id = orders[0].merchant_id
    bills = [Bill(order.amount_minor, str(order.amount_currency)) for order in orders]
    if kinds == ("cash",) and not is_partly:
        return plan_cash(merchant_id=merchant_id, buyer_id=buyer_id, bills=bills)
    if credits_sellers:
        seller_pending(orders)  # Opened before the wallets are locked, so that all are locked in one order.
    return plan_spending(
        merchant_id=merchant_id,
        buyer_id=buyer_id,
        kinds=kinds,
        bills=bills,
        sellers={order.seller_id for order in orders} if credits_sellers else (),
    )


def _parts(paid: Sequence[_Paid]) -> tuple[list[BalancePart], list[PartHold]]:
    """The rows of the parts, without their holds, and what is to be held for each."""
    rows, holds, at = [], [], clock.now()
    for each in paid:
        totals = (each.share.seller_net_minor, each.share.commission_minor, each.share.tax_minor)
        given = (0, 0, 0)
        for position, part in enumerate(each.parts):
            # Cumulative, as refunds are: the parts together become exactly what the order becomes.
            seller, commission, tax = refund_parts(
                totals=totals, returned=given, amount_minor=part.value_minor
            )
            given = (given[0] + seller, given[1] + commission, given[2] + tax)
            key = uuid7()
            rows.append(
                new_row(
                    BalancePart,
                    id=key,
                    merchant_id=each.order.merchant_id,
                    order_id=each.order.id,
                    wallet_id=part.wallet_id,
                    hold_id=None,
                    position=position,
                    kind=part.kind,
                    amount_minor=part.value_minor,
                    units_minor=part.units_minor,
                    seller_net_minor=seller,
                    commission_minor=commission,
                    tax_minor=tax,
                    created_at=at,
                )
            )
            # An order may be tried several times; each part has a subject that no other ever has.
            holds.append(PartHold(f"{public_id('pay', each.order.id)}:{key.hex}", part))
    return rows, holds


def _each_part(paid: Sequence[_Paid]) -> list[PlannedPart]:
    return [part for each in paid for part in each.parts]


def _open_parts(orders: Sequence[PaymentOrder]) -> list[BalancePart]:
    rows = BalancePart.objects.filter(order__in=orders, paid=False, released=False)
    return list(rows.order_by("order__position", "position"))


def _begin(checkout: PaymentEvent, order: PaymentOrder, changes: Changes, *, by: str, why: str) -> None:
    fact = uncharged_fact(checkout, order, "executing")
    changes.move(order, order.to_executing, why=why[:200], by=by, fact=fact)


def _sum_of(rows: Sequence[BalancePart], order: PaymentOrder) -> Share:
    mine = [row for row in rows if row.order_id == order.id]
    return Share(
        seller_net_minor=sum(row.seller_net_minor for row in mine),
        commission_minor=sum(row.commission_minor for row in mine),
        tax_minor=sum(row.tax_minor for row in mine),
    )


def _succeed(
    checkout: PaymentEvent, shares: Mapping[PaymentOrder, Share], changes: Changes, *, by: str
) -> None:
    plans = release_plans(
        orders=list(shares), accepted_at=checkout.created_at, at=clock.now(), has_charge=False
    )
    changes.insert([share_row(order, share, plans[order.position]) for order, share in shares.items()])
    note_balance_paid(checkout, list(shares), changes)
    for order in shares:
        fact = uncharged_fact(checkout, order, "succeeded")
        amount = order.amount_minor
        changes.move(
            order, order.to_success, why="paid from the balance", by=by, fact=fact, captured_minor=amount
        )
    note_checkout_totals(checkout.id, changes)
