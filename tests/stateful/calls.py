"""What clients ask of books and wallets, as values that can be repeated, sent and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from django.db import IntegrityError

from core.errors import DomainError
from core.transactions import at_edge, sqlstate
from ledger.selectors import trial_balance
from ledger.services import advance_checkpoints, advance_fence, post_entries
from ledger.types import EntryDraft, LineDraft
from tests.stateful.cast import Account, Cast
from wallet.selectors import get_wallet
from wallet.services import post
from wallet.types import WalletMove

__all__ = [
    "Advance",
    "Answer",
    "Call",
    "Entry",
    "Line",
    "Post",
    "ReadBooks",
    "ReadWallet",
    "perform",
    "perform_in_halves",
    "post_inside",
]

DAY = date(2026, 3, 1)


@dataclass(frozen=True)
class Line:
    """A debit (positive) or credit of an account; `currency` is said only where it is not the account's."""

    account: Account
    minor: int
    currency: str = ""

    @property
    def unit(self) -> str:
        """The currency that the line names."""
        return self.currency or self.account.currency


@dataclass(frozen=True)
class Entry:
    """One entry; the key is what makes it the same entry."""

    key: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Post:
    """Post a batch through one of the two doors; `spoilt` tells the wallet another amount than the books."""

    entries: tuple[Entry, ...]
    door: str = "wallet"
    spoilt: bool = False


@dataclass(frozen=True)
class ReadWallet:
    """Read the four buckets of one wallet."""

    owner: str
    currency: str


@dataclass(frozen=True)
class ReadBooks:
    """Read the balances of all accounts."""


@dataclass(frozen=True)
class Advance:
    """Move the fence, then the checkpoints; nobody's balance changes."""


Call = Post | ReadWallet | ReadBooks | Advance


@dataclass(frozen=True)
class Answer:
    """What came back: ids and newness of posted entries, what was read, or why it was refused."""

    refused: str = ""
    ids: tuple[int, ...] = ()
    new: tuple[bool, ...] = ()
    value: Any = None


def perform(cast: Cast, call: Call) -> Answer:
    """Do it as a client does, in a transaction of its own at the edge; a refusal is an answer."""
    try:
        return _DOES[type(call)](cast, call)
    except DomainError as error:
        return Answer(refused=error.code)
    except IntegrityError as error:
        return Answer(refused=str(sqlstate(error)))


def perform_in_halves(cast: Cast, call: Call) -> Answer:
    """What a careless client does: every entry of a batch in a transaction of its own."""
    if not isinstance(call, Post) or len(call.entries) < 2:
        return perform(cast, call)
    parts = [perform(cast, replace(call, entries=(entry,))) for entry in call.entries]
    return Answer(
        refused=next((part.refused for part in parts if part.refused), ""),
        ids=tuple(entry_id for part in parts for entry_id in part.ids),
        new=tuple(is_new for part in parts for is_new in part.new),
    )


def post_inside(cast: Cast, call: Post) -> Answer:
    """Post in the transaction that is open."""
    drafts = [_draft(cast, entry) for entry in call.entries]
    if call.door == "ledger":
        refs = post_entries(drafts=drafts)
    else:
        refs = post(drafts=drafts, moves=_moves(cast, call))
    return Answer(ids=tuple(ref.id for ref in refs), new=tuple(ref.is_new for ref in refs))


_post = at_edge(post_inside)


def _draft(cast: Cast, entry: Entry) -> EntryDraft:
    return EntryDraft(
        merchant_id=cast.merchant_id,
        kind="test",
        source="test",
        source_ref=entry.key,
        leg="main",
        effective_date=DAY,
        lines=tuple(
            LineDraft(
                cast.ids[line.account],
                line.minor,
                line.unit,
                clearing_key=entry.key if line.account.role == "psp_clearing" else None,
            )
            for line in entry.lines
        ),
    )


def _moves(cast: Cast, call: Post) -> list[WalletMove]:
    moves = [
        WalletMove(order, number, cast.ids[line.account], line.account.sign * line.minor)
        for order, entry in enumerate(call.entries, 1)
        for number, line in enumerate(entry.lines, 1)
        if line.account.guarded
    ]
    if call.spoilt:
        moves[0] = replace(moves[0], delta_minor=moves[0].delta_minor + 1)
    return moves


@at_edge
def _read_wallet(cast: Cast, call: ReadWallet) -> Answer:
    data = get_wallet(merchant_id=cast.merchant_id, wallet_id=cast.wallets[call.owner, call.currency])
    return Answer(value=(data.pending_minor, data.available_minor, data.held_minor, data.receivable_minor))


@at_edge
def _read_books(cast: Cast, call: ReadBooks) -> Answer:
    names = {account_id: name for name, account_id in cast.ids.items()}
    found = trial_balance(merchant_id=cast.merchant_id)
    return Answer(value={names[each.account_id]: each.balance_minor for each in found if each.balance_minor})


def _advance(cast: Cast, call: Advance) -> Answer:
    advance_fence()
    advance_checkpoints()
    return Answer()


_DOES: dict[type, Callable[[Cast, Any], Answer]] = {
    Post: _post,
    ReadWallet: _read_wallet,
    ReadBooks: _read_books,
    Advance: _advance,
}
