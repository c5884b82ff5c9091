"""The only way to move a wallet: together with its lines in the books."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.db import IntegrityError

from core.transactions import requires_transaction
from ledger.services import post_through
from ledger.templates.entry import Posting
from ledger.templates.reserves import debt_netting_entry
from ledger.types import EntryDraft, EntryRef
from wallet.errors import InsufficientFunds
from wallet.models import Wallet, WalletAccount
from wallet.purposes import seller_accounts
from wallet.selectors import accounts_of
from wallet.types import WalletMove

__all__ = ["moves_for", "post", "post_netted"]

_MOVES = ", %b::int[], %b::int[], %b::bigint[], %b::bigint[]"
_FLOORS = {
    "wallet_pending_not_negative",
    "wallet_available_not_negative",
    "wallet_held_not_negative",
    "wallet_receivable_not_negative",
    # Also when only a balance in the middle of the batch is below zero.
    "wallet_operation_sane",
}
_DEBT = "seller_receivable"
# Which wallet and role an account is behind never changes; None for an account behind no wallet.
_roles: dict[tuple[UUID, int], tuple[UUID, str] | None] = {}
_REMEMBERED = 50_000


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


@requires_transaction
def moves_for(*, drafts: Sequence[EntryDraft]) -> list[WalletMove]:
    """Return what each line on a wallet-backed account does to its wallet, for `post`.

    What a wallet is owed grows with a credit, what it owes with a debit. Asks the database once for the
    accounts that this process has not met, else not at all.
    """
    known = _places(drafts)
    return [
        WalletMove(
            entry=entry,
            line=number,
            account_id=line.account_id,
            delta_minor=line.amount_minor if place[1] == _DEBT else -line.amount_minor,
        )
        for entry, draft in enumerate(drafts, 1)
        for number, line in enumerate(draft.lines, 1)
        if (place := known[draft.merchant_id, line.account_id])
    ]


@requires_transaction
def post_netted(*, drafts: Sequence[EntryDraft]) -> list[EntryRef]:
    """Post entries, and pay the debt of every seller who was credited with what they may spend.

    The first posting locks the wallets until the commit, so what is then read of debt and balance is what
    the netting meets. Raises as `post`. Returns the entries of `drafts` alone.
    """
    refs = post(drafts=drafts, moves=moves_for(drafts=drafts))
    credited: dict[UUID, tuple[EntryDraft, EntryRef]] = {}
    known = _places(drafts)
    for draft, ref in zip(drafts, refs, strict=True):
        for line in draft.lines:
            place = known[draft.merchant_id, line.account_id]
            if ref.is_new and place and place[1] == "seller_available" and line.amount_minor < 0:
                credited[place[0]] = draft, ref
    if credited:
        netting = list(_netting(credited))
        post(drafts=netting, moves=moves_for(drafts=netting))
    return refs


def _netting(credited: dict[UUID, tuple[EntryDraft, EntryRef]]) -> Iterable[EntryDraft]:
    for wallet in Wallet.objects.filter(id__in=credited, receivable_minor__gt=0).order_by("id"):
        amount = min(wallet.receivable_minor, wallet.available_minor)
        if not amount:
            continue
        draft, ref = credited[wallet.id]
        accounts = accounts_of(merchant_id=wallet.merchant_id, wallet_id=wallet.id)
        yield debt_netting_entry(
            posting=Posting(wallet.merchant_id, wallet.currency, draft.effective_date),
            seller=seller_accounts(accounts=accounts),
            netting_id=f"{ref.id}:{wallet.id}",
            amount_minor=amount,
        )


def _places(drafts: Sequence[EntryDraft]) -> dict[tuple[UUID, int], tuple[UUID, str] | None]:
    """The wallet and role behind every account of the drafts."""
    wanted = {(draft.merchant_id, line.account_id) for draft in drafts for line in draft.lines}
    found = {key: _roles[key] for key in wanted if key in _roles}
    missing = wanted - found.keys()
    if missing:
        rows = WalletAccount.objects.filter(account_id__in={account for _, account in missing})
        there = {
            (row.merchant_id, row.account_id): (row.wallet_id, row.role)
            for row in rows.only("merchant_id", "account_id", "wallet_id", "role")
        }
        new = {key: there.get(key) for key in missing}
        if len(_roles) + len(new) > _REMEMBERED:
            _roles.clear()
        # A number is never given twice, so what a lost transaction opened does no harm here.
        _roles.update(new)
        found |= new
    return found
