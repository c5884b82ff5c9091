"""The only way to move a wallet: together with its lines in the books."""

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from core import clock
from core.ids import uuid7
from core.money import exponent
from core.transactions import requires_transaction
from ledger.services import post_through
from ledger.types import EntryDraft, EntryRef
from wallet.errors import InsufficientFunds
from wallet.models import WalletAccount
from wallet.types import WalletMove

__all__ = ["account_of", "open_wallet", "post"]

_MOVES = ", %b::int[], %b::int[], %b::bigint[], %b::bigint[]"
_FLOORS = {
    "wallet_pending_not_negative",
    "wallet_available_not_negative",
    "wallet_held_not_negative",
    "wallet_receivable_not_negative",
    # Also when only a balance in the middle of the batch is below zero.
    "wallet_operation_sane",
}
_known: dict[tuple[UUID, str, UUID, str, str], int] = {}
# Accounts never change, so a process remembers them; no more than this many, because sellers are many.
_REMEMBERED = 50_000


@requires_transaction
def open_wallet(*, merchant_id: UUID, owner_type: str, owner_id: UUID, currency: str) -> UUID:
    """Return the id of the owner's cash wallet in a currency, opening it with its accounts the first time.

    Raises InvalidCurrency for an unknown currency.
    """
    exponent(currency)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wallet_open(%s, %s, %s, %s, %s, %s)",
            [uuid7(), merchant_id, owner_type, owner_id, currency, clock.now()],
        )
        wallet_id: UUID = cursor.fetchone()[0]
    return wallet_id


@requires_transaction
def account_of(*, merchant_id: UUID, owner_type: str, owner_id: UUID, currency: str, role: str) -> int:
    """Return the account of the books behind one role of the owner's cash wallet, opening it if need be."""
    key = (merchant_id, owner_type, owner_id, currency, role)
    if key in _known:
        return _known[key]
    found = {"wallet__owner_type": owner_type, "wallet__owner_id": owner_id, "wallet__currency": currency}
    row = WalletAccount.objects.filter(
        merchant_id=merchant_id, role=role, wallet__kind="cash", **found
    ).first()
    if row is not None:
        # Remembered after the commit: what this transaction opened may still roll back.
        transaction.on_commit(partial(_remember, key, row.account_id))
        return row.account_id
    wallet_id = open_wallet(
        merchant_id=merchant_id, owner_type=owner_type, owner_id=owner_id, currency=currency
    )
    return WalletAccount.objects.get(wallet_id=wallet_id, role=role).account_id


def _remember(key: tuple[UUID, str, UUID, str, str], account_id: int) -> None:
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[key] = account_id


@requires_transaction
def post(*, drafts: Sequence[EntryDraft], moves: Sequence[WalletMove]) -> list[EntryRef]:
    """Post entries together with what they do to wallets, in one round trip; return them in order.

    An entry that is in the books already moves nothing again. Raises InsufficientFunds when a bucket
    would go below zero, EntryUnbalanced when moves and lines differ, EntryConflict as in the ledger.
    """
    extra = [
        [move.entry for move in moves],
        [move.line for move in moves],
        [move.account_id for move in moves],
        [move.delta_minor for move in moves],
    ]
    try:
        return post_through(door="wallet_post", drafts=drafts, placeholders=_MOVES, extra=extra)
    except IntegrityError as error:
        diagnostics = getattr(error.__cause__, "diag", None)
        if getattr(diagnostics, "constraint_name", None) in _FLOORS:
            raise InsufficientFunds() from error
        raise
