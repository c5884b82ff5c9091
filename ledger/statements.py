"""What people read of the books: a trial balance by role, the statement of an account, an entry as a whole.

Everything here is read in one statement per answer, so that no posting comes between two of its numbers.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.types import AccountLine

__all__ = [
    "EntryLine",
    "Place",
    "RoleBalance",
    "Statement",
    "StatementLine",
    "balances",
    "entries_of_event",
    "entries_with_reference",
    "entry_lines",
    "entry_totals",
    "statement",
    "trial_balance_by_role",
]

_LINES_PER_ENTRY = 1024
_EVENT_LIMIT = 100
_NEWEST = 2**63 - 1
# The checkpoint, plus every line after it.
_BALANCE = """
    coalesce(mark.balance_minor, 0) + coalesce((
        SELECT sum(line.amount_minor) FROM ledger_journalline AS line
        WHERE line.account_id = account.id AND line.entry_id > coalesce(mark.entry_id, 0)), 0)
"""


@dataclass(frozen=True)
class RoleBalance:
    """All accounts of one role, provider and currency: the debit balances and the credit balances.

    They are kept apart, so that one account on its wrong side shows up. `account_id` is given when there
    is exactly one account.
    """

    role: str
    provider: str | None
    currency: str
    accounts: int
    account_id: int | None
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True)
class Place:
    """Where a page of a statement begins: behind (`is_older`) or after a line, and the balance there.

    Without a balance it is computed from the newest end; so it is for places that are so new that an
    earlier line may still appear.
    """

    line_id: int
    is_older: bool
    balance_minor: int | None = None


@dataclass(frozen=True)
class StatementLine:
    """One line, and the balance of the account after it."""

    line: AccountLine
    balance_minor: int


@dataclass(frozen=True)
class Statement:
    """One page of an account's lines, oldest first: opening, plus the lines, is closing."""

    lines: list[StatementLine]
    opening_minor: int
    closing_minor: int
    older: Place | None
    newer: Place | None

    @property
    def debit_minor(self) -> int:
        """The sum of the page's debits."""
        return sum(each.line.amount_minor for each in self.lines if each.line.amount_minor > 0)

    @property
    def credit_minor(self) -> int:
        """The sum of the page's credits, as a positive number."""
        return -sum(each.line.amount_minor for each in self.lines if each.line.amount_minor < 0)


@dataclass(frozen=True)
class EntryLine:
    """One line of an entry with its account; a debit when positive, a credit when negative."""

    line_no: int
    account_id: int
    role: str
    owner: UUID | None
    provider: str | None
    amount_minor: int
    currency: str
    clearing_key: str | None


def trial_balance_by_role(*, merchant_id: UUID) -> list[RoleBalance]:
    """Return the balances of a merchant's accounts, added up by currency, role and provider."""
    rows = _fetch(
        "SELECT role, provider, currency, count(*), min(id), sum(greatest(balance, 0)),"  # noqa: S608
        " sum(greatest(-balance, 0)) FROM ("
        f"SELECT account.id, account.role, account.provider, account.currency, {_BALANCE} AS balance"
        " FROM ledger_account AS account"
        " LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id"
        " WHERE account.merchant_id = %s) AS each"
        " GROUP BY role, provider, currency ORDER BY currency, role, provider",
        [merchant_id],
    )
    return [
        RoleBalance(
            role=role,
            provider=provider,
            currency=currency,
            accounts=accounts,
            account_id=first if accounts == 1 else None,
            debit_minor=int(debit),
            credit_minor=int(credit),
        )
        for role, provider, currency, accounts, first, debit, credit in rows
    ]


def balances(*, account_ids: Collection[int]) -> Mapping[int, int]:
    """Return debits minus credits, in minor units, of each of these accounts that exists."""
    rows = _fetch(
        f"SELECT account.id, {_BALANCE} FROM ledger_account AS account"  # noqa: S608
        " LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id"
        " WHERE account.id = ANY (%s)",
        [list(account_ids)],
    )
    return {account_id: int(balance) for account_id, balance in rows}


_STATEMENT = """
    WITH page AS (
        SELECT id, entry_id, amount_minor, currency, clearing_key FROM ledger_journalline
        WHERE account_id = %(account)s AND {bounds} ORDER BY entry_id {order}, id {order} LIMIT %(limit)s
    ), here AS MATERIALIZED (SELECT {here} AS balance FROM ledger_account AS account
        LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id
        WHERE account.id = %(account)s)
    SELECT page.id, page.entry_id, entry.kind, entry.source, entry.source_ref, entry.effective_date,
        entry.recorded_at, page.amount_minor, page.currency, page.clearing_key,
        here.balance, (SELECT safe_entry FROM ledger_fence)
    FROM here LEFT JOIN (page JOIN ledger_journalentry AS entry ON entry.id = page.entry_id) ON true
    ORDER BY page.entry_id {order}, page.id {order}
"""
# The entry for the index, the line for the place within the entry.
_OLDER = "entry_id <= %(entry)s AND id < %(line)s"
_NEWER = "entry_id >= %(entry)s AND id > %(line)s"
_SINCE = """ - coalesce((SELECT sum(line.amount_minor) FROM ledger_journalline AS line
    WHERE line.account_id = account.id AND line.entry_id >= %(entry)s AND line.id {sign} %(line)s), 0)"""


def statement(*, account_id: int, at: Place | None = None, size: int = 50) -> Statement:
    """Return one page of an account's statement: the newest lines, or those next to a place.

    `Place(0, is_older=False, balance_minor=0)` is the beginning of the account. Cost does not depend on
    how many lines the account has.
    """
    at = at or Place(line_id=_NEWEST, is_older=True)
    rows = _fetch(_statement_sql(at), _statement_parameters(account_id, at, size))
    if not rows:
        return Statement([], 0, 0, None, None)
    here, safe_entry = int(rows[0][10]), rows[0][11]
    found = [AccountLine(*row[:10]) for row in rows if row[0] is not None]
    has_more, found = len(found) > size, found[:size]
    if at.is_older:
        found.reverse()
        opening = here - sum(line.amount_minor for line in found)
    else:
        opening = here
    lines, running = [], opening
    for line in found:
        running += line.amount_minor
        lines.append(StatementLine(line, running))
    is_newest = at.line_id == _NEWEST
    has_older = has_more if at.is_older else at.line_id > 0 and bool(found)
    has_newer = has_more if not at.is_older else not is_newest and bool(found)
    return Statement(
        lines=lines,
        opening_minor=opening,
        closing_minor=running,
        older=_place(lines[0].line, True, opening, safe_entry) if has_older else None,
        newer=_place(lines[-1].line, False, running, safe_entry) if has_newer else None,
    )


def _statement_sql(at: Place) -> str:
    if at.balance_minor is not None:
        here = "%(balance)s::bigint"
    elif at.line_id == _NEWEST:
        here = _BALANCE
    else:
        here = _BALANCE + _SINCE.format(sign=">=" if at.is_older else ">")
    return _STATEMENT.format(
        bounds=_OLDER if at.is_older else _NEWER, order="DESC" if at.is_older else "ASC", here=here
    )


def _statement_parameters(account_id: int, at: Place, size: int) -> dict[str, Any]:
    return {
        "account": account_id,
        "entry": at.line_id // _LINES_PER_ENTRY,
        "line": at.line_id,
        "limit": size + 1,
        "balance": at.balance_minor,
    }


def _place(line: AccountLine, is_older: bool, balance_minor: int, safe_entry: int) -> Place:
    """Entry ids are not the order of commits: above the fence the balance at a line may still change."""
    is_final = line.entry_id <= safe_entry
    return Place(line_id=line.id, is_older=is_older, balance_minor=balance_minor if is_final else None)


def entry_lines(*, entry_id: int) -> list[EntryLine]:
    """Return the lines of one entry with their accounts, in order."""
    rows = _fetch(
        "SELECT line.line_no, account.id, account.role, account.owner, account.provider, line.amount_minor,"
        " line.currency, line.clearing_key FROM ledger_journalline AS line"
        " JOIN ledger_account AS account ON account.id = line.account_id"
        " WHERE line.id > %s AND line.id < %s ORDER BY line.id",
        [entry_id * _LINES_PER_ENTRY, (entry_id + 1) * _LINES_PER_ENTRY],
    )
    return [EntryLine(*row) for row in rows]


def entry_totals(*, line_counts: Mapping[int, int]) -> Mapping[int, Sequence[tuple[str, int]]]:
    """Return for each entry its currencies with the sum of the debits, which is that of the credits.

    `line_counts` says how many lines each entry has; their ids follow from it, and ids that are written out
    are found by the key however long the table is.
    """
    wanted = [
        entry_id * _LINES_PER_ENTRY + number
        for entry_id, count in line_counts.items()
        for number in range(1, count + 1)
    ]
    rows = _fetch(
        "SELECT entry_id, currency, sum(amount_minor) FROM ledger_journalline"
        " WHERE id = ANY (%s) AND amount_minor > 0 GROUP BY entry_id, currency ORDER BY entry_id, currency",
        [wanted],
    )
    totals: dict[int, list[tuple[str, int]]] = {entry_id: [] for entry_id in line_counts}
    for entry_id, currency, debit in rows:
        totals[entry_id].append((currency, int(debit)))
    return totals


def entries_of_event(
    *, merchant_id: UUID, source: str, source_ref: str
) -> list[tuple[int, str, str, datetime, int | None]]:
    """Return id, leg, kind, time and what it corrects, of up to 100 entries of one business event."""
    return _fetch(
        "SELECT id, leg, kind, recorded_at, corrects FROM ledger_journalentry"
        " WHERE merchant_id = %s AND source = %s AND source_ref = %s ORDER BY id LIMIT %s",
        [merchant_id, source, source_ref, _EVENT_LIMIT],
    )


def entries_with_reference(*, reference: str) -> list[int]:
    """Return the ids of up to 100 entries that have this reference, whatever the merchant and the source.

    The unique index begins with merchant and source; they are few, so each pair is looked into.
    """
    rows = _fetch(
        """
        WITH RECURSIVE pair AS (
            (SELECT merchant_id, source FROM ledger_journalentry ORDER BY merchant_id, source LIMIT 1)
            UNION ALL
            SELECT next.merchant_id, next.source FROM pair CROSS JOIN LATERAL (
                SELECT merchant_id, source FROM ledger_journalentry AS entry
                WHERE (entry.merchant_id, entry.source) > (pair.merchant_id, pair.source)
                ORDER BY merchant_id, source LIMIT 1) AS next
        )
        SELECT entry.id FROM pair CROSS JOIN LATERAL (
            SELECT id FROM ledger_journalentry AS entry WHERE entry.merchant_id = pair.merchant_id
                AND entry.source = pair.source AND entry.source_ref = %s LIMIT %s) AS entry
        LIMIT %s
        """,
        [reference, _EVENT_LIMIT, _EVENT_LIMIT],
    )
    return [entry_id for (entry_id,) in rows]


def _fetch(sql: str, parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
