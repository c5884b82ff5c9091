"""The journals of balance payments: one entry for each part, which resolves its hold (W4, W2b, W2c)."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from core import clock
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.accounts import SaleAccounts
from ledger.templates.capture import CapturedOrder, Share
from ledger.templates.entry import Posting
from ledger.templates.points import PointsAccounts, PointsLot, points_spend_entry
from ledger.templates.wallet import hold_confirm_entry
from ledger.types import EntryDraft
from payments.models import BalancePart, PaymentOrder
from wallet.services import account_of, buyer_accounts
from wallet.types import PointsPart

__all__ = ["part_entries", "seller_pending"]

POINTS = "PTS"


@requires_transaction
def part_entries(
    rows: Sequence[BalancePart],
    orders: Mapping[UUID, PaymentOrder],
    points: Mapping[UUID, Sequence[PointsPart]],
) -> list[EntryDraft]:
    """Return the entry that settles the hold of each part; `points` of which grants, by hold."""
    on = clock.today()
    pending = seller_pending(list(orders.values()))
    return [
        _entry(row, orders[row.order_id], pending[row.order_id], points.get(row.hold_id, ()), on)
        for row in rows
    ]


@requires_transaction
def seller_pending(orders: Sequence[PaymentOrder]) -> dict[UUID, int]:
    """Return the account in which each order's seller earns it, by order; opens those that are missing."""
    return {
        order.id: account_of(
            merchant_id=order.merchant_id,
            owner_type="seller",
            owner_id=order.seller_id,
            currency=str(order.amount_currency),
            role="seller_pending",
        )
        for order in orders
    }


def _entry(
    row: BalancePart, order: PaymentOrder, pending: int, points: Sequence[PointsPart], on: date
) -> EntryDraft:
    merchant_id, currency = row.merchant_id, str(order.amount_currency)
    posting = Posting(merchant_id, currency, on)
    buyer = buyer_accounts(merchant_id=merchant_id, wallet_id=row.wallet_id)
    sale = SaleAccounts(
        commission=open_account(merchant_id=merchant_id, role="commission", currency=currency),
        tax_payable=open_account(merchant_id=merchant_id, role="tax_payable", currency=currency),
    )
    captured = [CapturedOrder(pending, Share(row.seller_net_minor, row.commission_minor, row.tax_minor))]
    if row.kind != "points":
        return hold_confirm_entry(
            posting=posting, buyer=buyer, accounts=sale, hold_id=row.hold_id, orders=captured
        )
    return points_spend_entry(
        posting=posting,
        accounts=PointsAccounts(
            money_position=open_account(merchant_id=merchant_id, role="fx_position", currency=currency),
            points_position=open_account(merchant_id=merchant_id, role="fx_position", currency=POINTS),
        ),
        buyer=buyer,
        sale=sale,
        hold_id=row.hold_id,
        lots=[PointsLot(each.grant_id, each.units_minor, each.value_minor) for each in points],
        orders=captured,
    )
