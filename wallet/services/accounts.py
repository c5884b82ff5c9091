"""Opening wallets, and finding the accounts of the books behind them."""

from functools import partial
from uuid import UUID

from django.db import connection, transaction

from core import clock
from core.ids import uuid7
from core.money import InvalidCurrency, exponent
from core.transactions import requires_transaction
from wallet.models import WalletAccount

__all__ = ["account_of", "open_wallet"]

POINTS = "PTS"
_known: dict[tuple[UUID, str, UUID, str, str], int] = {}
# Accounts never change, so a process remembers them; no more than this many, because sellers are many.
_REMEMBERED = 50_000


@requires_transaction
def open_wallet(
    *, merchant_id: UUID, owner_type: str, owner_id: UUID, currency: str, kind: str = "cash"
) -> UUID:
    """Return the id of the owner's wallet in a currency, opening it with its accounts the first time.

    Buyers may also have a `bonus` wallet, and a `points` wallet in PTS. Raises InvalidCurrency for an unknown
    currency, or one that wallets of the kind are not kept in.
    """
    exponent(currency)
    if kind == "points" and currency != POINTS:
        raise InvalidCurrency(f"Points are kept in {POINTS}.")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT wallet_open(%s, %s, %s, %s, %s, %s, %s)",
            [uuid7(), merchant_id, owner_type, owner_id, currency, clock.now(), kind],
        )
        wallet_id: UUID = cursor.fetchone()[0]
    return wallet_id


@requires_transaction
def account_of(*, merchant_id: UUID, owner_type: str, owner_id: UUID, currency: str, role: str) -> int:
    """Return the account of the books behind one role of the owner's wallet, opening it if need be.

    The role tells the kind of the wallet: bonus_held is an account of the bonus wallet.
    """
    kind = role.partition("_")[0]
    kind = kind if kind in ("bonus", "points") else "cash"
    key = (merchant_id, owner_type, owner_id, currency, role)
    if key in _known:
        return _known[key]
    found = {"wallet__owner_type": owner_type, "wallet__owner_id": owner_id, "wallet__currency": currency}
    row = WalletAccount.objects.filter(merchant_id=merchant_id, role=role, wallet__kind=kind, **found).first()
    if row is not None:
        # Remembered after the commit: what this transaction opened may still roll back.
        transaction.on_commit(partial(_remember, key, row.account_id))
        return row.account_id
    wallet_id = open_wallet(
        merchant_id=merchant_id, owner_type=owner_type, owner_id=owner_id, currency=currency, kind=kind
    )
    return WalletAccount.objects.get(wallet_id=wallet_id, role=role).account_id


def _remember(key: tuple[UUID, str, UUID, str, str], account_id: int) -> None:
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[key] = account_id
