"""Holds, releases and debts as the product does them, and what they leave behind."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from core.transactions import at_edge
from ledger.services import open_account
from ledger.templates.entry import Posting as Where
from ledger.templates.entry import credit, debit, entry
from tests.stateful.calls import DAY, DOES, Answer
from tests.stateful.cast import Cast, rows
from tests.stateful.history import Event, explain
from tests.stateful.hold_model import (
    Cancel,
    Confirm,
    Expire,
    Fund,
    HoldModel,
    Owe,
    Purse,
    Release,
    Try,
)
from wallet.selectors import accounts_of
from wallet.services import (
    cancel_hold,
    confirm_hold,
    expire_holds,
    open_wallet,
    post_netted,
    release_funds,
    try_hold,
)
from wallet.types import HoldData

__all__ = ["KINDS", "explained", "open_purse", "stored"]

# Who has the money, and what the accounts of theirs are called.
KINDS = {"ann": "seller", "bob": "seller", "cyd": "wallet", "dan": "bonus", "eve": "points"}


@at_edge
def open_purse(cast: Cast, owner: str, currency: str) -> None:
    """Open a wallet of the kind that the owner has, and the accounts that money comes from and goes to."""
    kind = KINDS[owner]
    cast.wallets[owner, currency] = open_wallet(
        merchant_id=cast.merchant_id,
        owner_type="seller" if kind == "seller" else "buyer",
        owner_id=cast.owner_id(owner),
        currency=currency,
        kind=kind if kind in ("bonus", "points") else "cash",
    )


def _accounts(cast: Cast, owner: str, currency: str) -> dict[str, int]:
    found = accounts_of(merchant_id=cast.merchant_id, wallet_id=cast.wallets[owner, currency])
    return {role.removeprefix(f"{KINDS[owner]}_"): account_id for role, account_id in found.items()}


def _commission(cast: Cast, currency: str) -> int:
    return open_account(merchant_id=cast.merchant_id, role="commission", currency=currency)


def _post(cast: Cast, currency: str, key: str, legs: list[Any]) -> Answer:
    draft = entry(
        posting=Where(cast.merchant_id, currency, DAY),
        kind="test",
        source="test",
        source_ref=key,
        leg="main",
        legs=legs,
    )
    (ref,) = post_netted(drafts=[draft])
    return Answer(new=(ref.is_new,))


@at_edge
def _fund(cast: Cast, call: Fund) -> Answer:
    account = _accounts(cast, call.owner, call.currency)[call.bucket]
    legs = [debit(_commission(cast, call.currency), call.minor), credit(account, call.minor)]
    return _post(cast, call.currency, call.key, legs)


@at_edge
def _owe(cast: Cast, call: Owe) -> Answer:
    accounts = _accounts(cast, call.owner, call.currency)
    ((there,),) = rows(
        "SELECT available_minor FROM wallet_wallet WHERE id = %s", [cast.wallets[call.owner, call.currency]]
    )
    paid = min(int(str(there)), call.minor)
    legs = [
        debit(accounts["available"], paid),
        debit(accounts["receivable"], call.minor - paid),
        credit(_commission(cast, call.currency), call.minor),
    ]
    return _post(cast, call.currency, call.key, legs)


@at_edge
def _try(cast: Cast, call: Try) -> Answer:
    return _told(
        try_hold(
            merchant_id=cast.merchant_id,
            wallet_id=cast.wallets[call.owner, call.currency],
            purpose=call.purpose,
            subject=call.subject,
            amount_minor=call.minor,
            expires_at=_due(cast) if call.due else None,
        )
    )


@at_edge
def _confirm(cast: Cast, call: Confirm) -> Answer:
    return _told(
        confirm_hold(
            merchant_id=cast.merchant_id,
            purpose=call.purpose,
            subject=call.subject,
            settled_minor=call.minor,
            legs=[credit(_commission(cast, call.currency), call.minor)],
        )
    )


@at_edge
def _cancel(cast: Cast, call: Cancel) -> Answer:
    return _told(
        cancel_hold(
            merchant_id=cast.merchant_id,
            wallet_id=cast.wallets[call.owner, call.currency],
            purpose=call.purpose,
            subject=call.subject,
        )
    )


@at_edge
def _release(cast: Cast, call: Release) -> Answer:
    ref = release_funds(
        merchant_id=cast.merchant_id,
        wallet_id=cast.wallets[call.owner, call.currency],
        release_id=call.key,
        amount_minor=call.minor,
        effective_date=DAY,
        reserve_bps=call.bps,
        reserve_until=_due(cast) if call.due else datetime(2100, 1, 1, tzinfo=UTC),
    )
    return Answer(new=(ref.is_new,))


def _expire(cast: Cast, call: Expire) -> Answer:
    while expire_holds():
        pass
    return Answer()


def _due(cast: Cast) -> datetime:
    """The same for all holds of a history, and just over when it begins."""
    return datetime.fromtimestamp(cast.began - 1, UTC)


def _told(hold: HoldData) -> Answer:
    return Answer(value=(hold.state, hold.amount_minor, hold.settled_minor, hold.released_minor))


DOES |= {
    Fund: _fund,
    Owe: _owe,
    Try: _try,
    Confirm: _confirm,
    Cancel: _cancel,
    Release: _release,
    Expire: _expire,
}


def stored(cast: Cast) -> tuple[dict[Purse, tuple[int, ...]], dict[tuple[str, str], tuple[Any, ...]]]:
    """What is in the database: buckets of wallets, and holds."""
    owners = {wallet_id: purse for purse, wallet_id in cast.wallets.items()}
    wallets = rows(
        "SELECT id, pending_minor, available_minor, held_minor, receivable_minor FROM wallet_wallet"
        " WHERE merchant_id = %s",
        [cast.merchant_id],
    )
    holds = rows(
        "SELECT purpose, subject, wallet_id, state, amount_minor, settled_minor, released_minor"
        " FROM wallet_hold WHERE merchant_id = %s",
        [cast.merchant_id],
    )
    return (
        {owners[wallet_id]: tuple(values) for wallet_id, *values in wallets},  # type: ignore[index]
        {
            (str(purpose), str(subject)): (owners[wallet_id], *rest)  # type: ignore[index]
            for purpose, subject, wallet_id, *rest in holds
        },
    )


def explained(cast: Cast, start: HoldModel, events: Iterable[Event]) -> None:
    """Some serial order explains what clients saw and what is stored."""
    found, happened = stored(cast), list(events)
    order = explain(happened, start, ends=lambda model: model.stored() == found)  # type: ignore[arg-type]
    assert order is not None, f"no serial order explains {happened}, which left {found}"
