"""Who covers what is taken back from sellers, and where it goes when they get it back.

Refunds, disputes and reversals take it in one order: what the order itself has earned and is not released
yet, what the seller may spend, the order's own tranche of the reserve, and a debt for the rest. It is decided
by what is in the locked wallets, so call this last: after the rows of pay-in are locked and written, just
before the entry is posted. Deciding moves no money; the entry that the caller makes of the answer does.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from core.history import SYSTEM
from core.ids import public_id
from core.transactions import requires_transaction
from ledger.templates.accounts import SellerAccounts
from ledger.templates.cover import Cover, Restored, SellerPart, decide_cover, decide_restored
from payments.models import OrderShare, PaymentOrder
from wallet.selectors import seller_accounts_of
from wallet.services import draw_on_tranche, lock_wallets, open_wallet, tranche_of
from wallet.types import Balances

__all__ = ["Restoring", "Taking", "give_back_to_sellers", "take_from_sellers", "tranche_subject"]


@dataclass(frozen=True)
class Taking:
    """What the seller of one order has to bear, in minor units; order and share are locked."""

    order: PaymentOrder
    share: OrderShare
    amount_minor: int


@dataclass(frozen=True)
class Restoring:
    """What the seller of one order gets back, in minor units; the order is locked."""

    order: PaymentOrder
    amount_minor: int


def tranche_subject(order: PaymentOrder) -> str:
    """Return the name of an order's own tranche of the rolling reserve: whoever releases it uses this."""
    return public_id("pay", order.id)


@requires_transaction
def take_from_sellers(
    *, takings: Sequence[Taking], by: str = SYSTEM, also: Collection[UUID] = ()
) -> dict[UUID, SellerPart]:
    """Decide who covers what is taken back, and note it on shares and tranches; by order id.

    All orders are of one merchant and one currency, each named once. The wallets stay locked until the
    commit: post the entry (`wallet.services.post_netted`) in the same transaction, with exactly these parts.
    `also` are other wallets that the entry moves: they are locked together, so that all are by id.
    """
    in_order = sorted(takings, key=lambda taking: taking.order.id)
    tranches = {
        taking.order.id: tranche_of(
            merchant_id=taking.order.merchant_id, subject=tranche_subject(taking.order)
        )
        for taking in in_order
    }
    wallets = {taking.order.id: _wallet(taking.order) for taking in in_order}
    balances = _lock([taking.order for taking in in_order], {*wallets.values(), *also})
    available = {key: there_is.available_minor for key, there_is in balances.items()}
    parts = {}
    for taking in in_order:
        order, share, wallet_id = taking.order, taking.share, wallets[taking.order.id]
        cover = decide_cover(
            amount_minor=taking.amount_minor,
            pending_minor=share.seller_net_minor - share.pending_used_minor - share.released_minor,
            available_minor=available[wallet_id],
            reserve_minor=tranches[order.id],
        )
        available[wallet_id] -= cover.available_minor
        _note(order, share, cover, by)
        parts[order.id] = SellerPart(
            seller=seller_accounts_of(merchant_id=order.merchant_id, wallet_id=wallet_id), cover=cover
        )
    return parts


@requires_transaction
def give_back_to_sellers(
    *, restorings: Sequence[Restoring]
) -> Mapping[UUID, tuple[SellerAccounts, Restored]]:
    """Decide where money goes that sellers get back: against their debt first, the rest to spend; by order.

    The same rules as for `take_from_sellers`. It never becomes pending again: what was used of an order's
    pending stays used.
    """
    in_order = sorted(restorings, key=lambda restoring: restoring.order.id)
    wallets = {restoring.order.id: _wallet(restoring.order) for restoring in in_order}
    balances = _lock([restoring.order for restoring in in_order], set(wallets.values()))
    owed = {key: there_is.receivable_minor for key, there_is in balances.items()}
    parts = {}
    for restoring in in_order:
        order, wallet_id = restoring.order, wallets[restoring.order.id]
        restored = decide_restored(amount_minor=restoring.amount_minor, receivable_minor=owed[wallet_id])
        owed[wallet_id] -= restored.receivable_minor
        seller = seller_accounts_of(merchant_id=order.merchant_id, wallet_id=wallet_id)
        parts[order.id] = (seller, restored)
    return parts


def _note(order: PaymentOrder, share: OrderShare, cover: Cover, by: str) -> None:
    if cover.pending_minor:
        share.pending_used_minor += cover.pending_minor
        share.save(update_fields=["pending_used_minor"])
    if cover.reserve_minor:
        draw_on_tranche(
            merchant_id=order.merchant_id,
            subject=tranche_subject(order),
            amount_minor=cover.reserve_minor,
            by=by,
        )


def _wallet(order: PaymentOrder) -> UUID:
    return open_wallet(
        merchant_id=order.merchant_id,
        owner_type="seller",
        owner_id=order.seller_id,
        currency=order.amount_currency,
    )


def _lock(orders: Sequence[PaymentOrder], wallet_ids: Collection[UUID]) -> dict[UUID, Balances]:
    if not orders:
        return {}
    return lock_wallets(merchant_id=orders[0].merchant_id, wallet_ids=wallet_ids)
