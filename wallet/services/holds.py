"""Holds: money that is set aside (try) and then leaves (confirm) or comes back (cancel, expiry); once.

Every step moves the hold, its history, the wallet and the books in the caller's transaction. The hold is
locked first, then come the keys of the posting, the wallet last.
"""

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from core import clock
from core.history import SYSTEM, Changes
from core.ids import uuid7
from core.money import InvalidAmount
from core.transactions import at_edge, forbids_transaction, requires_transaction
from ledger.templates.entry import Leg, Posting, check_minor, credit, debit, entry
from ledger.types import EntryDraft
from wallet.errors import (
    AmountExceedsHold,
    HoldCanceled,
    HoldConflict,
    HoldExpired,
    HoldSettled,
    HoldUnknown,
)
from wallet.hold_facts import hold_data
from wallet.locks import lock_due_holds, lock_hold
from wallet.models import Hold
from wallet.purposes import PURPOSES, place_of
from wallet.selectors import accounts_of, get_wallet
from wallet.services.posting import post_netted
from wallet.states import OPEN, RELEASED, SETTLED
from wallet.types import HoldData

__all__ = [
    "cancel_hold",
    "confirm_hold",
    "expire_holds",
    "insert_hold",
    "release_holds",
    "try_hold",
]

PORTION = 100


@requires_transaction
def try_hold(
    *,
    merchant_id: UUID,
    wallet_id: UUID,
    purpose: str,
    subject: str,
    amount_minor: int,
    expires_at: datetime | None = None,
    by: str = SYSTEM,
) -> HoldData:
    """Set money aside: available goes down and held goes up by `amount_minor` of the wallet's currency.

    Asked again with the same content it returns the hold as it is by now. Raises InsufficientFunds,
    HoldCanceled when the cancel came first, HoldConflict when the subject has a hold with other content,
    PurposeUnsupported, InvalidAmount, NotFound for a wallet that is not the merchant's.
    """
    if type(amount_minor) is not int or amount_minor <= 0:
        raise InvalidAmount(param="amount_minor")
    hold, is_new = insert_hold(
        merchant_id=merchant_id,
        wallet_id=wallet_id,
        purpose=purpose,
        subject=subject,
        amount_minor=amount_minor,
        expires_at=expires_at,
        by=by,
    )
    if is_new:
        names = PURPOSES[purpose]
        accounts = accounts_of(merchant_id=merchant_id, wallet_id=wallet_id)
        place = place_of(purpose=purpose, accounts=accounts)
        legs = [debit(accounts[place.available], amount_minor), credit(accounts[place.held], amount_minor)]
        post_netted(drafts=[_draft(hold, names.tried, names.try_leg, legs, on=hold.created_at.date())])
    return hold_data(hold)


@requires_transaction
def confirm_hold(
    *,
    merchant_id: UUID,
    purpose: str,
    subject: str,
    settled_minor: int,
    legs: Sequence[Leg],
    by: str = SYSTEM,
) -> HoldData:
    """Let held money go where it was held for; what is left of the hold is released in the same entry.

    `legs` are the credits that take `settled_minor` (with debits of their own, if an entry needs them); the
    books refuse them unless they add up. Again with the same content changes nothing. Raises HoldUnknown,
    HoldCanceled, HoldExpired (also when nobody has swept it yet), HoldConflict when it was confirmed with
    another amount, EntryConflict with other legs, AmountExceedsHold, EntryUnbalanced.
    """
    hold = lock_hold(merchant_id=merchant_id, purpose=purpose, subject=subject)
    if hold is None:
        raise HoldUnknown()
    check_minor(settled_minor)
    if hold.state == SETTLED and hold.settled_minor != settled_minor:
        raise HoldConflict()
    if hold.state not in (OPEN, SETTLED):
        raise HoldCanceled() if hold.state == RELEASED else HoldExpired()
    if not 0 < settled_minor <= hold.amount_minor:
        raise AmountExceedsHold(param="settled_minor")
    if hold.state == OPEN and hold.expires_at is not None and hold.expires_at <= clock.now():
        raise HoldExpired()
    # Posted again when it was confirmed before, so that the books compare the legs with the first ones.
    on = hold.resolved_on or clock.today()
    if hold.state == OPEN:
        changes = Changes()
        changes.move(
            hold, hold.to_settled, why="confirmed", by=by, settled_minor=settled_minor, resolved_on=on
        )
        changes.save()
    accounts = accounts_of(merchant_id=merchant_id, wallet_id=hold.wallet_id)
    place = place_of(purpose=purpose, accounts=accounts)
    names = PURPOSES[purpose]
    all_legs = [
        debit(accounts[place.held], hold.amount_minor),
        *legs,
        credit(accounts[place.available], hold.amount_minor - settled_minor),
    ]
    post_netted(drafts=[_draft(hold, names.confirmed, names.end_leg, all_legs, on=on)])
    return hold_data(hold)


@requires_transaction
def cancel_hold(
    *, merchant_id: UUID, wallet_id: UUID, purpose: str, subject: str, by: str = SYSTEM
) -> HoldData:
    """Release a hold: all of it is available again. Canceled or expired before, it changes nothing.

    A cancel that comes before its try leaves a tombstone, and that try will be refused. Raises HoldSettled,
    HoldConflict for a hold of another wallet, PurposeUnsupported, NotFound for a wallet that is not the
    merchant's.
    """
    hold, is_new = insert_hold(
        merchant_id=merchant_id,
        wallet_id=wallet_id,
        purpose=purpose,
        subject=subject,
        amount_minor=0,
        expires_at=None,
        by=by,
        is_cancel=True,
    )
    if hold.state == SETTLED:
        raise HoldSettled()
    if hold.state == OPEN:
        release_holds(holds=[hold], by=by, why="canceled before its try" if is_new else "canceled")
    return hold_data(hold)


@forbids_transaction
def expire_holds(*, limit: int = PORTION) -> int:
    """Release one portion of the holds whose time is over, in order of their expiry; return how many.

    Commits alone. A tranche of the rolling reserve is released on its date; every other hold is expired.
    """
    return _expire(limit)


@at_edge
def _expire(limit: int) -> int:
    holds = lock_due_holds(at=clock.now(), limit=limit)
    if holds:
        release_holds(holds=holds, by=SYSTEM, why="time over")
    return len(holds)


@requires_transaction
def insert_hold(
    *,
    merchant_id: UUID,
    wallet_id: UUID,
    purpose: str,
    subject: str,
    amount_minor: int,
    expires_at: datetime | None,
    by: str,
    is_cancel: bool = False,
) -> tuple[Hold, bool]:
    """Return the locked hold of a subject and whether this call made it, without moving any money.

    Raises HoldCanceled and HoldConflict for a hold that is there and is not the same.
    """
    accounts = accounts_of(merchant_id=merchant_id, wallet_id=wallet_id)
    place = place_of(purpose=purpose, accounts=accounts)
    at = clock.now()
    made = Hold(
        id=uuid7(),
        merchant_id=merchant_id,
        wallet_id=wallet_id,
        purpose=purpose,
        subject=subject,
        role=place.held,
        amount_minor=amount_minor,
        expires_at=expires_at,
        created_at=at,
        updated_at=at,
    )
    Hold.objects.bulk_create([made], ignore_conflicts=True)
    # Whoever inserted the row first has committed by now, or the insert would still wait.
    hold = lock_hold(merchant_id=merchant_id, purpose=purpose, subject=subject)
    if hold is None:
        raise RuntimeError("the hold that was in the way is gone")
    if hold.id == made.id:
        changes = Changes()
        changes.begin(hold, why="canceled before its try" if is_cancel else "tried", by=by)
        changes.save()
        return hold, True
    if hold.wallet_id != wallet_id:
        raise HoldConflict()
    if not is_cancel:
        if hold.amount_minor == 0:
            raise HoldCanceled()
        if (hold.amount_minor, hold.expires_at) != (amount_minor, expires_at):
            raise HoldConflict()
    return hold, False


@requires_transaction
def release_holds(*, holds: Sequence[Hold], by: str, why: str) -> None:
    """Give back what open, locked holds hold: all in one posting."""
    on = clock.today()
    changes, drafts = Changes(), []
    for hold in holds:
        is_canceled = why != "time over" or hold.purpose == "reserve"
        changes.move(
            hold, hold.to_released if is_canceled else hold.to_expired, why=why, by=by, resolved_on=on
        )
        if hold.amount_minor:
            names = PURPOSES[hold.purpose]
            accounts = accounts_of(merchant_id=hold.merchant_id, wallet_id=hold.wallet_id)
            place = place_of(purpose=hold.purpose, accounts=accounts)
            legs = [
                debit(accounts[place.held], hold.amount_minor),
                credit(accounts[place.available], hold.amount_minor),
            ]
            drafts.append(_draft(hold, names.canceled, names.end_leg, legs, on=on))
    changes.save()
    if drafts:
        post_netted(drafts=drafts)


def _draft(hold: Hold, kind: str, leg: str, legs: Sequence[Leg], *, on: date) -> EntryDraft:
    wallet = get_wallet(merchant_id=hold.merchant_id, wallet_id=hold.wallet_id)
    return entry(
        posting=Posting(hold.merchant_id, wallet.currency, on),
        kind=kind,
        source=PURPOSES[hold.purpose].source,
        source_ref=hold.id if hold.purpose == "payment" else hold.subject,
        leg=leg,
        legs=legs,
    )
