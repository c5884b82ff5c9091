"""What clients ask of books and wallets, as values that can be repeated, sent and compared."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any
from uuid import uuid5

from django.db import IntegrityError

from core.approvals import approve
from core.errors import DomainError
from core.models import Approval
from core.transactions import at_edge, sqlstate
from ledger.selectors import correction_draft, trial_balance
from ledger.services import (
    advance_checkpoints,
    advance_fence,
    close_period,
    correct_entries,
    land_entries,
    post_entries,
    request_closing,
)
from ledger.types import EntryDraft, LineDraft
from tests.stateful.cast import Account, Cast
from wallet.selectors import get_wallet
from wallet.services import post
from wallet.types import WalletMove

__all__ = [
    "DAY",
    "DOES",
    "Advance",
    "Answer",
    "Call",
    "Close",
    "Correct",
    "Entry",
    "Line",
    "Post",
    "ReadBooks",
    "ReadWallet",
    "day",
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
    # Days after the first; where that day is closed, the entry stands on a later one.
    day: int = 0
    # Entries of one group come together or not at all.
    group: str = ""
    # The key of the entry that this one takes back, and why.
    corrects: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Post:
    """Post a batch through one of the two doors; `spoilt` tells the wallet another amount than the books.

    With `land` an entry whose day is closed goes to the next open one.
    """

    entries: tuple[Entry, ...]
    door: str = "wallet"
    spoilt: bool = False
    land: bool = False


@dataclass(frozen=True)
class Correct:
    """Take back an entry, by its key; one that moved a wallet only through the wallet's door."""

    key: str
    day: int
    reason: str
    door: str = "ledger"


@dataclass(frozen=True)
class Close:
    """Two people close all days up to one."""

    day: int


@dataclass(frozen=True)
class ReadWallet:
    """Read the four buckets of one wallet."""

    owner: str
    currency: str


@dataclass(frozen=True)
class ReadBooks:
    """Read the balances of all accounts, at the end of a day if one is given."""

    until: int | None = None


@dataclass(frozen=True)
class Advance:
    """Move the fence, then the checkpoints; nobody's balance changes."""


Call = Post | Correct | Close | ReadWallet | ReadBooks | Advance


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
        return DOES[type(call)](cast, call)
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
    if call.land:
        drafts = land_entries(drafts=drafts)
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
        effective_date=day(entry.day),
        group_id=uuid5(cast.merchant_id, entry.group) if entry.group else None,
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


@at_edge
def _correct(cast: Cast, call: Correct) -> Answer:
    what: dict[str, Any] = {
        "merchant_id": cast.merchant_id,
        "effective_date": day(call.day),
        "reason": call.reason,
    }
    if call.door == "ledger":
        refs = correct_entries(entry_ids=[cast.entries[call.key]], actor="user:ada", **what)
    else:
        names = {account_id: name for name, account_id in cast.ids.items()}
        drafts = land_entries(drafts=[correction_draft(entry_id=cast.entries[call.key], **what)])
        moves = [
            WalletMove(1, number, line.account_id, names[line.account_id].sign * line.amount_minor)
            for number, line in enumerate(drafts[0].lines, 1)
            if names[line.account_id].guarded
        ]
        refs = post(drafts=drafts, moves=moves)
    return Answer(ids=(refs[0].id,), new=(refs[0].is_new,))


@at_edge
def _close(cast: Cast, call: Close) -> Answer:
    who: dict[str, Any] = {"merchant_id": cast.merchant_id, "through": day(call.day)}
    asked = Approval.objects.get(id=request_closing(maker="user:ada", reason="the month is over", **who))
    approve(approval_id=asked.id, checker="user:bea", instruction_now=asked.instruction)
    close_period(actor="user:bea", **who)
    return Answer()


def day(number: int) -> date:
    """The date that is so many days after the first."""
    return DAY + timedelta(days=number)


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
    until = None if call.until is None else day(call.until)
    found = trial_balance(merchant_id=cast.merchant_id, effective_until=until)
    return Answer(value={names[each.account_id]: each.balance_minor for each in found if each.balance_minor})


def _advance(cast: Cast, call: Advance) -> Answer:
    advance_fence()
    advance_checkpoints()
    return Answer()


DOES: dict[type, Callable[[Cast, Any], Answer]] = {
    Post: _post,
    Correct: _correct,
    Close: _close,
    ReadWallet: _read_wallet,
    ReadBooks: _read_books,
    Advance: _advance,
}
