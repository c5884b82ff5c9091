"""What crosses the door of the books."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

__all__ = [
    "AccountBalance",
    "AccountLine",
    "AccountTurnover",
    "ChainRoot",
    "ClearingTotal",
    "DayPosition",
    "DayTurnover",
    "EntryData",
    "EntryDraft",
    "EntryHead",
    "EntryLine",
    "EntryRef",
    "KeyBalance",
    "KeyLine",
    "LineDraft",
    "Movement",
    "OpenKey",
    "PeriodData",
    "SealingLag",
    "Statement",
    "StatementLine",
    "StatementPlace",
    "TrialBalance",
    "TurnoverSum",
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
class Movement:
    """What entries of one kind moved on the accounts of one role: debits minus credits, in minor units."""

    currency: str
    role: str
    kind: str
    amount_minor: int


@dataclass(frozen=True)
class AccountBalance:
    """The balance of one account in minor units: debits minus credits."""

    account_id: int
    role: str
    owner: UUID | None
    provider: str | None
    currency: str
    balance_minor: int

    @property
    def debit_minor(self) -> int:
        """The balance where debits prevail, else 0."""
        return max(self.balance_minor, 0)

    @property
    def credit_minor(self) -> int:
        """The balance where credits prevail, as a positive number, else 0."""
        return max(-self.balance_minor, 0)


@dataclass(frozen=True)
class TrialBalance:
    """Every account of a merchant with its balance in the debit or the credit column.

    `recorded_until` is the place of the fence up to which it was read, when it was read up to one.
    """

    merchant_id: UUID
    effective_until: date | None
    recorded_until: int | None
    accounts: tuple[AccountBalance, ...]

    @property
    def totals(self) -> dict[str, tuple[int, int]]:
        """By currency: the sum of the debit column and of the credit column, in minor units."""
        sums: dict[str, tuple[int, int]] = {}
        for account in self.accounts:
            debit, credit = sums.get(account.currency, (0, 0))
            sums[account.currency] = (debit + account.debit_minor, credit + account.credit_minor)
        return sums


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
class KeyBalance:
    """What is open under one key of a clearing account, and the first and the last day that moved it."""

    account_id: int
    provider: str | None
    key: str
    balance_minor: int
    first_day: date
    last_day: date


@dataclass(frozen=True)
class KeyLine:
    """One line under a key of a clearing account; a debit is positive."""

    account_id: int
    key: str
    entry_id: int
    amount_minor: int


@dataclass(frozen=True)
class StatementPlace:
    """Where the next page of a statement begins: behind this line."""

    effective_date: date
    line_id: int


@dataclass(frozen=True)
class StatementLine:
    """One line of a statement, with the balance of the account after it; amounts in minor units."""

    id: int
    entry_id: int
    kind: str
    source: str
    source_ref: str
    effective_date: date
    original_date: date | None
    recorded_at: datetime
    debit_minor: int
    credit_minor: int
    balance_minor: int
    clearing_key: str | None
    corrects: int | None


@dataclass(frozen=True)
class Statement:
    """One page of an account's statement, by effective date.

    `opening_minor` and `closing_minor` are those of the whole statement, `page_opening_minor` is the balance
    before the first line of this page. All pages are read up to the same place of the fence, so they fit.
    """

    account_id: int
    currency: str
    first_day: date
    last_day: date
    recorded_until: int
    opening_minor: int
    page_opening_minor: int
    closing_minor: int
    lines: tuple[StatementLine, ...]
    next: StatementPlace | None


@dataclass(frozen=True)
class EntryLine:
    """One line of an entry with its account; debit or credit in minor units, the other is 0."""

    line_no: int
    account_id: int
    role: str
    owner: UUID | None
    provider: str | None
    currency: str
    debit_minor: int
    credit_minor: int
    clearing_key: str | None


@dataclass(frozen=True)
class EntryHead:
    """What an entry is about: its kind, and the event that it was posted for."""

    kind: str
    source: str
    source_ref: str


@dataclass(frozen=True)
class EntryData:
    """One entry with its lines, what it corrects or was corrected by, and the other entries of its group."""

    id: int
    merchant_id: UUID
    kind: str
    source: str
    source_ref: str
    leg: str
    effective_date: date
    original_date: date | None
    recorded_at: datetime
    corrects: int | None
    corrected_by: int | None
    group_id: UUID | None
    group: tuple[int, ...]
    facts: tuple[tuple[str, str], ...]
    lines: tuple[EntryLine, ...]


@dataclass(frozen=True)
class PeriodData:
    """A closed period of a merchant's books: who asked, who decided, when."""

    id: UUID
    merchant_id: UUID
    first_day: date
    last_day: date
    maker: str
    checker: str
    closed_at: datetime


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


@dataclass(frozen=True)
class OpenKey:
    """One key of a clearing account that is not zero: `balance_minor` is debits less credits.

    It has been open since `opened_on`, the last day on whose eve it was zero, and last moved on `last_on`.
    """

    account_id: int
    role: str
    provider: str | None
    currency: str
    clearing_key: str
    balance_minor: int
    opened_on: date
    last_on: date
    lines: int
    is_late: bool


@dataclass(frozen=True)
class ClearingTotal:
    """The open keys of one clearing account: how many, what they add up to, and what of it is late."""

    account_id: int
    role: str
    provider: str | None
    currency: str
    keys: int
    balance_minor: int
    late_keys: int
    late_minor: int
    oldest_on: date


@dataclass(frozen=True)
class DayPosition:
    """What a day did to the accounts of one role, provider and currency, in minor units."""

    role: str
    provider: str | None
    currency: str
    opening_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def closing_minor(self) -> int:
        """Debits less credits at the end of the day."""
        return self.opening_minor + self.debit_minor - self.credit_minor


@dataclass(frozen=True)
class DayTurnover:
    """What was posted to all accounts of one role and currency with one effective date, in minor units."""

    role: str
    currency: str
    day: date
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True)
class AccountTurnover:
    """One account over some days: `opening_minor` plus debits less credits is `closing_minor`."""

    account_id: int
    merchant_id: UUID
    role: str
    owner: UUID | None
    provider: str | None
    currency: str
    opening_minor: int
    debit_minor: int
    credit_minor: int

    @property
    def closing_minor(self) -> int:
        """Debits less credits at the end of the days."""
        return self.opening_minor + self.debit_minor - self.credit_minor


@dataclass(frozen=True)
class TurnoverSum:
    """All accounts that were asked for, added up; debit and credit balances apart, without their signs."""

    accounts: int
    opening_minor: int
    debit_minor: int
    credit_minor: int
    debit_balances_minor: int
    credit_balances_minor: int

    @property
    def closing_minor(self) -> int:
        """Debits less credits at the end of the days."""
        return self.debit_balances_minor - self.credit_balances_minor
