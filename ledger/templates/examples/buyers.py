"""Examples of W1 to W7, with the amounts of the books."""

from collections.abc import Callable

from ledger.templates.accounts import BuyerAccounts
from ledger.templates.balance_refunds import MoneyBack, PointsBack, balance_refund_entry
from ledger.templates.capture import CapturedOrder, Share
from ledger.templates.cover import Cover, SellerPart
from ledger.templates.journal import (
    ExampleBooks,
    Journal,
    bonus,
    buyer,
    named,
    points,
    returns,
    sale,
    seller,
)
from ledger.templates.points import PointsAccounts, PointsLot, points_grant_entry, points_spend_entry
from ledger.templates.refunds import ReturnedOrder, wallet_refund_entry
from ledger.templates.wallet import (
    bonus_grant_entry,
    hold_cancel_entry,
    hold_confirm_entry,
    hold_try_entry,
    top_up_entry,
    top_up_final_entry,
    top_up_pending_entry,
    top_up_return_entry,
)
from ledger.types import EntryDraft

__all__ = ["WALLETS"]

# 10 % commission, 20 % tax inside it: of 3.00, of 20.00 and of 25.00.
_THREE = Share(2_70, 25, 5)
_TWENTY = Share(18_00, 1_67, 33)
_TWENTY_FIVE = Share(22_50, 2_08, 42)


def _topped_up(books: ExampleBooks) -> EntryDraft:
    return top_up_entry(
        posting=books.posting(),
        psp_clearing=books.account("psp_clearing"),
        wallet_available=books.account("wallet_available"),
        charge_id=named("charge"),
        amount_minor=30_00,
    )


def _pending(books: ExampleBooks) -> EntryDraft:
    return top_up_pending_entry(
        posting=books.posting(),
        psp_clearing=books.account("psp_clearing"),
        wallet_pending=books.account("wallet_pending"),
        charge_id=named("charge"),
        amount_minor=30_00,
    )


def _final(books: ExampleBooks) -> EntryDraft:
    return top_up_final_entry(
        posting=books.posting(),
        wallet_pending=books.account("wallet_pending"),
        wallet_available=books.account("wallet_available"),
        charge_id=named("charge"),
        amount_minor=30_00,
    )


def _returned(books: ExampleBooks) -> EntryDraft:
    return top_up_return_entry(
        posting=books.posting(),
        psp_clearing=books.account("psp_clearing"),
        wallet=books.account("wallet_available"),
        dispute_receivable=books.account("dispute_receivable"),
        return_id=named("return"),
        charge_id=named("charge"),
        taken_minor=20_00,
        missing_minor=10_00,
    )


def _granted(books: ExampleBooks) -> EntryDraft:
    return bonus_grant_entry(
        posting=books.posting(),
        promo=books.account("promo"),
        bonus_available=books.account("bonus_available"),
        grant_id=named("grant"),
        amount_minor=3_00,
    )


def _positions(books: ExampleBooks) -> PointsAccounts:
    return PointsAccounts(
        money_position=books.account("fx_position"), points_position=books.account("fx_position", "PTS")
    )


def _points_granted(books: ExampleBooks) -> EntryDraft:
    return points_grant_entry(
        posting=books.posting(),
        accounts=_positions(books),
        promo=books.account("promo"),
        points_available=books.account("points_available", "PTS"),
        lot=PointsLot(named("grant"), points=300, value_minor=3_00),
    )


def _points_spent(books: ExampleBooks) -> EntryDraft:
    return points_spend_entry(
        posting=books.posting(),
        accounts=_positions(books),
        buyer=points(books),
        sale=sale(books),
        hold_id=named("hold"),
        lots=[PointsLot(named("grant"), points=300, value_minor=3_00)],
        orders=[CapturedOrder(seller(books).pending, _THREE)],
    )


def _held(template: Callable[..., EntryDraft]) -> Callable[[ExampleBooks], EntryDraft]:
    """W3 and W6: the whole hold, between available and held."""
    return lambda books: template(
        posting=books.posting(), buyer=buyer(books), hold_id=named("hold"), amount_minor=25_00
    )


def _confirmed(
    share: Share, accounts: Callable[[ExampleBooks], BuyerAccounts], *, released_minor: int = 0
) -> Callable[[ExampleBooks], EntryDraft]:
    return lambda books: hold_confirm_entry(
        posting=books.posting(),
        buyer=accounts(books),
        accounts=sale(books),
        hold_id=named("hold"),
        orders=[CapturedOrder(seller(books).pending, share)],
        released_minor=released_minor,
    )


def _refunded(books: ExampleBooks) -> EntryDraft:
    return wallet_refund_entry(
        posting=books.posting(),
        accounts=returns(books),
        wallet_available=books.account("wallet_available"),
        refund_id=named("refund"),
        orders=[ReturnedOrder(SellerPart(seller(books), Cover(available_minor=22_50)), 2_08, 42)],
    )


def _bonus_back(books: ExampleBooks) -> EntryDraft:
    return balance_refund_entry(
        posting=books.posting(),
        accounts=returns(books),
        refund_id=named("refund"),
        orders=[ReturnedOrder(SellerPart(seller(books), Cover(pending_minor=2_70)), 25, 5)],
        money=[MoneyBack(bonus(books).available, 3_00)],
        points=[],
    )


def _points_back(books: ExampleBooks) -> EntryDraft:
    lots = [PointsLot(named("grant"), points=300, value_minor=3_00)]
    return balance_refund_entry(
        posting=books.posting(),
        accounts=returns(books),
        refund_id=named("refund"),
        orders=[ReturnedOrder(SellerPart(seller(books), Cover(pending_minor=2_70)), 25, 5)],
        money=[],
        points=[PointsBack(_positions(books), points(books).available, lots)],
    )


WALLETS = (
    Journal("W1", "wallet_topped_up", "Wallet top-up by card", top_up_entry, _topped_up),
    Journal("W1b", "wallet_top_up_pending", "Top-up on a slow rail", top_up_pending_entry, _pending),
    Journal(
        "W1b end", "wallet_top_up_final", "… becomes available when it is final", top_up_final_entry, _final
    ),
    Journal(
        "W1c",
        "wallet_top_up_returned",
        "Top-up of 30.00 taken back by its rail, of which the wallet has 20.00",
        top_up_return_entry,
        _returned,
    ),
    Journal("W2", "bonus_granted", "Promotional credit granted", bonus_grant_entry, _granted),
    Journal(
        "W2b",
        "hold_confirmed",
        "Bonus spent in a payment (confirm)",
        hold_confirm_entry,
        _confirmed(_THREE, bonus),
    ),
    Journal("W2c", "points_spent", "300 points spent, worth 3.00", points_spend_entry, _points_spent),
    Journal(
        "W2c grant", "points_granted", "300 points granted, worth 3.00", points_grant_entry, _points_granted
    ),
    Journal("W3", "hold_tried", "Balance payment, try (freeze)", hold_try_entry, _held(hold_try_entry)),
    Journal("W4", "hold_confirmed", "Confirm in full", hold_confirm_entry, _confirmed(_TWENTY_FIVE, buyer)),
    Journal(
        "W5",
        "hold_confirmed",
        "Confirm 20.00, the rest is released",
        hold_confirm_entry,
        _confirmed(_TWENTY, buyer, released_minor=5_00),
    ),
    Journal("W6", "hold_cancelled", "Cancel or time-out", hold_cancel_entry, _held(hold_cancel_entry)),
    Journal(
        "W7", "refund_to_wallet", "Refund to the wallet instead of the card", wallet_refund_entry, _refunded
    ),
    Journal(
        "W7b",
        "refund_to_balance",
        "Refund of what a bonus paid: it is a bonus again",
        balance_refund_entry,
        _bonus_back,
    ),
    Journal(
        "W7c",
        "refund_to_balance",
        "Refund of what 300 points paid, worth 3.00: they are points again",
        balance_refund_entry,
        _points_back,
    ),
)
