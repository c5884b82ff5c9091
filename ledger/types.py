"""What crosses the door of the books."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

__all__ = ["AccountBalance", "AccountLine", "EntryDraft", "EntryRef", "LineDraft"]


@dataclass(frozen=True)
class LineDraft:
    """One line: `amount_minor` is a debit when positive, a credit when negative; never zero."""

    account_id: int
    amount_minor: int
    currency: str
    clearing_key: str | None = None


@dataclass(frozen=True)
class EntryDraft:
    """One balanced entry; (merchant, source, source_ref, leg) is posted at most once, ever.

    Entries with one `group_id` are posted in one call, all or none. `original_date` is the date of an event
    whose day was closed, so that the entry stands on a later one. `facts` are short texts that no line
    holds (a rate, a reason), as (name, value) pairs.
    """

    merchant_id: UUID
    kind: str
    source: str
    source_ref: str
    leg: str
    effective_date: date
    lines: tuple[LineDraft, ...]
    corrects: int | None = None
    group_id: UUID | None = None
    original_date: date | None = None
    facts: tuple[tuple[str, str], ...] = ()


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
