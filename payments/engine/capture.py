"""The money moved: charge, orders, shares, wallets, books, flags and events, in one commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from channels.selectors import get_channel
from core import clock
from core.history import SYSTEM, Changes
from core.rows import new_row
from core.transactions import requires_transaction
from ledger.services import open_account
from ledger.templates.capture import CaptureAccounts, CapturedOrder, Share, Terms, capture_entry, split
from ledger.types import EntryDraft
from merchants.selectors import sellers_by_account
from payments.engine.assessment import note_paid
from payments.engine.facts import order_fact
from payments.engine.refunds.compensation import note_checkout_totals
from payments.engine.top_up_capture import book_top_up
from payments.locks import ChargeScope
from payments.models import OrderShare, PaymentOrder, PspOperation
from payments.psp.contract import PspObject
from payments.releases.schedule import release_plans
from wallet.services import account_of, post
from wallet.types import WalletMove

__all__ = ["book_capture", "share_row", "shares_of"]


@requires_transaction
def book_capture(
    scope: ChargeScope,
    operation: PspOperation | None,
    seen: PspObject,
    changes: Changes,
    *,
    why: str = "captured",
    by: str = SYSTEM,
) -> None:
    """Record a capture of a charge whose facts were compared with ours, and post it.

    It is of the whole charge, or, where that has one order, of a part: the rest was given back.

    `operation` is what was to bring it; one that has its outcome stays as it is. The split follows the terms
    that held when the store sent the checkout. A charge of a top-up credits the wallet instead.
    """
    if scope.top_up is not None:
        book_top_up(scope, operation, seen, changes)
        return
    at = clock.now()
    if operation is not None and operation.status in ("SENT", "UNKNOWN", "PENDING"):
        changes.move(operation, operation.to_succeeded, why=why)
    is_news = scope.charge.authorized_minor == 0
    captured = _captured(scope, seen.captured_minor)
    changes.move(
        scope.charge,
        scope.charge.to_captured,
        why=why,
        by=by,
        captured_minor=seen.captured_minor,
        psp_reference=seen.reference,
    )
    shares = shares_of(
        merchant_id=scope.charge.merchant_id,
        orders=scope.orders,
        at=scope.checkout.created_at,
        captured=captured,
    )
    releases = release_plans(orders=scope.orders, accepted_at=scope.checkout.created_at, at=at)
    changes.insert(
        [share_row(order, shares[order.position], releases[order.position]) for order in scope.orders]
    )
    if is_news:  # Otherwise the card was told of when it was authorised.
        note_paid(scope, seen, changes)
    for order in scope.orders:
        changes.move(
            order,
            order.to_success,
            why=why,
            by=by,
            fact=order_fact(scope, order, "succeeded"),
            captured_minor=captured[order.position],
        )
    # The checkout is done when every order of it is, those under other charges included.
    note_checkout_totals(scope.checkout.id, changes)
    # Last, because it locks the sellers' wallets, and a popular seller's wallet is in every other payment.
    changes.last(lambda: _post(scope, shares, at))


def share_row(order: PaymentOrder, share: Share, plan: Mapping[str, Any]) -> OrderShare:
    """Return the new row of what an order's money becomes; `plan` says when its seller's part is released."""
    return new_row(
        OrderShare,
        order_id=order.id,
        merchant_id=order.merchant_id,
        seller_net_minor=share.seller_net_minor,
        commission_minor=share.commission_minor,
        tax_minor=share.tax_minor,
        **plan,
    )


def _captured(scope: ChargeScope, captured_minor: int) -> dict[int, int]:
    """How much of each order was taken, by its position."""
    if captured_minor == scope.charge.amount_minor:
        return {order.position: order.amount_minor for order in scope.orders}
    (order,) = scope.orders  # Nobody could say whose part a part of several orders is.
    return {order.position: captured_minor}


def shares_of(
    *,
    merchant_id: UUID,
    orders: Sequence[PaymentOrder],
    at: datetime,
    captured: Mapping[int, int] | None = None,
) -> dict[int, Share]:
    """Return what the captured money of each order becomes, by its position, on the terms of a moment.

    `captured` is how much of each was taken (minor units, by position); everything, if it is left out.
    """
    accounts = {order.seller_account for order in orders}
    sellers = sellers_by_account(merchant_id=merchant_id, accounts=accounts, at=at)
    shares = {}
    for order in orders:
        terms = sellers[order.seller_account].terms
        fixed = (
            terms.commission_fixed_minor if terms.commission_fixed_currency == order.amount_currency else 0
        )
        shares[order.position] = split(
            amount_minor=order.amount_minor if captured is None else captured[order.position],
            terms=Terms(
                commission_bps=terms.commission_bps, commission_fixed_minor=fixed, tax_bps=terms.tax_bps
            ),
        )
    return shares


def _post(scope: ChargeScope, shares: dict[int, Share], at: datetime) -> None:
    charge = scope.charge
    merchant_id, currency = charge.merchant_id, charge.amount_currency
    provider = get_channel(channel_id=charge.channel_id).name
    pending = {
        order.position: account_of(
            merchant_id=merchant_id,
            owner_type="seller",
            owner_id=order.seller_id,
            currency=currency,
            role="seller_pending",
        )
        for order in scope.orders
    }
    draft = capture_entry(
        merchant_id=merchant_id,
        charge_id=charge.id,
        currency=currency,
        effective_date=at.date(),
        accounts=CaptureAccounts(
            psp_clearing=open_account(
                merchant_id=merchant_id, role="psp_clearing", currency=currency, provider=provider
            ),
            commission=open_account(merchant_id=merchant_id, role="commission", currency=currency),
            tax_payable=open_account(merchant_id=merchant_id, role="tax_payable", currency=currency),
        ),
        orders=[CapturedOrder(pending[order.position], shares[order.position]) for order in scope.orders],
    )
    post(drafts=[draft], moves=_moves(draft, set(pending.values())))


def _moves(draft: EntryDraft, guarded: set[int]) -> list[WalletMove]:
    """What the entry does to wallets: each credit of a seller's pending account is a gain."""
    return [
        WalletMove(entry=1, line=number, account_id=line.account_id, delta_minor=-line.amount_minor)
        for number, line in enumerate(draft.lines, 1)
        if line.account_id in guarded
    ]
