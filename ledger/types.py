"""What crosses the door of the books."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

__all__ = [
    "AccountBalance",
    "AccountLine",
    "ChainRoot",
    "EntryDraft",
    "EntryRef",
    "LineDraft",
    "SealingLag",
]


@dataclass(frozen=True)
class LineDraft:
    """One line: `amount_minor` is a debit when positive, a credit when negative; never zero."""

    account_id: int
    amount_minor: int
    currency: str
    clearing_key: str | None = None


@dataclass(frozen=True)
class EntryDraft:
    """One balanced entry; (merchant, source, source_ref, leg) is posted at most once, ever."""

    merchant_id: UUID
    kind: str
    source: str
    source_ref: str
    leg: str
    effective_date: date
    lines: tuple[LineDraft, ...]
    corrects: int | None = None


@dataclass(frozen=True)
class EntryRef:
    """Where an entry is in the books, and whether this call put it there."""

    id: int
    is_new: bool


@dataclass(frozen=True)
class AccountBalance:
    """The balance of one account in minor units: debits minus credits."""

    account_id: int
    role: str
    owner: UUID | None
    provider: str | None
    currency: str
    balance_minor: int


@dataclass(frozen=True)
class AccountLine:
    """One line of an account's statement; `amount_minor` is a debit when positive, a credit when negative."""

    id: int
    entry_id: int
    kind: str
    source: str
    source_ref: str
    effective_date: date
    recorded_at: datetime
    amount_minor: int
    currency: str
    clearing_key: str | None


@dataclass(frozen=True)
class ChainRoot:
    """The hash that stands for every entry up to `last_entry`: that of one block of the chain."""

    block: int
    last_entry: int
    hash: str
    sealed_at: datetime


@dataclass(frozen=True)
class SealingLag:
    """How far the seals are behind the books.

    `seconds` is the age of the oldest entry that no block covers, 0 when there is none. `waits_for` is
    "nothing", "fence" when that entry is above the fence (a long transaction holds it), or "sealer" when it
    could be sealed now.
    """

    sealed_entry: int
    safe_entry: int
    seconds: float
    waits_for: str
