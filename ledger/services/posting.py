"""Opening accounts and posting entries."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from core.money import exponent
from core.transactions import requires_transaction
from ledger.chart import CHART
from ledger.types import EntryDraft, EntryRef
from ledger.wire import ENTRY_PLACEHOLDERS, call, columns

__all__ = ["open_account", "post_entries", "post_through"]

# Accounts never change, so a process remembers them; no more than this many, because sellers are many.
_REMEMBERED = 50_000
_known: dict[tuple[UUID, str, UUID | None, str | None, str], int] = {}


@requires_transaction
def open_account(
    *, merchant_id: UUID, role: str, currency: str, provider: str | None = None, owner: UUID | None = None
) -> int:
    """Return the id of a merchant's account, opening it the first time.

    Raises KeyError for an unknown role, InvalidCurrency, and ValueError for a wallet-backed role.

    Accounts behind wallets are opened with their wallet.
    """
    kind = CHART[role]
    if kind.guarded:
        raise ValueError(f"{role} is opened with its wallet")
    key = (merchant_id, role, owner, provider, currency)
    if key not in _known:
        exponent(currency)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT ledger_open(%s, %s, %s, %s, %s, %s)",
                [merchant_id, role, owner, provider, currency, kind.clearing],
            )
            account_id = int(cursor.fetchone()[0])
        # Remembered after the commit: what this transaction opened may still roll back.
        transaction.on_commit(partial(_remember, key, account_id))
        return account_id
    return _known[key]


def _remember(key: tuple[UUID, str, UUID | None, str | None, str], account_id: int) -> None:
    if len(_known) >= _REMEMBERED:
        _known.clear()
    _known[key] = account_id


@requires_transaction
def post_entries(*, drafts: Sequence[EntryDraft]) -> list[EntryRef]:
    """Post entries that touch no wallet, all of them in one statement; return them in order.

    An entry that is in the books already is returned as not new. Raises EntryConflict when it is there
    with other content, AccountGuarded when a line is on a wallet-backed account, CorrectionRefused and
    AlreadyCorrected for a correction, GroupNotWhole when a group is not all there, PeriodClosed for a new
    entry on a closed day (`land_entries` finds the day where such an item goes).
    """
    return post_through(door="ledger_post", drafts=drafts)


@requires_transaction
def post_through(
    *, door: str, drafts: Sequence[EntryDraft], placeholders: str = "", extra: Sequence[Any] = ()
) -> list[EntryRef]:
    """Post entries through a database function that takes the arrays of a batch first and `extra` after them.

    For the apps that move something of their own together with the books. Raises as `post_entries`.
    """
    if not drafts:
        return []
    rows = call(door, ENTRY_PLACEHOLDERS + placeholders, [*columns(drafts), *extra])
    return [EntryRef(id=entry_id, is_new=is_new) for _, entry_id, is_new in rows]
