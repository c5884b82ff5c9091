"""What accounts took and gave over some days, account by account and day by day: what a figure is made of.

Read from balances and day totals that are kept behind the fence, made to end at one place of it, so that the
same question has the same answer for ever and the figure above is what the rows below add up to.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.selectors.balances import BALANCE_AT
from ledger.types import AccountTurnover, DayTurnover, TurnoverSum

__all__ = ["Asked", "currencies_of", "day_turnover", "turnover_by_account", "turnover_sum"]

_NEWEST = 2**63 - 1
_ALWAYS = date.max
# Day totals hold all up to an entry: what came between that one and the place is added, or taken away.
_TAIL = """
    tail AS MATERIALIZED (
        SELECT least(day_entry, %(known)s) AS low, greatest(day_entry, %(known)s) AS high,
            CASE WHEN %(known)s > day_entry THEN 1 ELSE -1 END AS sign FROM ledger_fence
    )
"""
_MOVED = """
    SELECT day.effective_date AS day, day.debit_minor AS debit, day.credit_minor AS credit
    FROM ledger_daytotal AS day
    WHERE day.account_id = account.id AND day.effective_date >= %(first)s
    UNION ALL
    SELECT entry.effective_date, tail.sign * greatest(line.amount_minor, 0),
        tail.sign * greatest(-line.amount_minor, 0)
    FROM tail JOIN ledger_journalline AS line ON line.account_id = account.id
        AND line.entry_id > tail.low AND line.entry_id <= tail.high
    JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    WHERE entry.effective_date >= %(first)s
"""
_DAYS = f"""
    WITH {_TAIL}
    SELECT account.role, account.currency, moved.day, sum(moved.debit), sum(moved.credit)
    FROM ledger_account AS account CROSS JOIN LATERAL ({_MOVED}) AS moved
    WHERE account.merchant_id = ANY(%(merchants)s) AND account.role = ANY(%(roles)s)
        AND moved.day <= %(last)s
    GROUP BY account.role, account.currency, moved.day ORDER BY moved.day, account.currency, account.role
"""  # noqa: S608 - fragments of ours
_ACCOUNTS = f"""
    WITH {_TAIL}, chosen AS MATERIALIZED (
        SELECT account.id, account.merchant_id, account.role, account.owner, account.provider,
            account.currency
        FROM ledger_account AS account
        WHERE account.merchant_id = ANY(%(merchants)s) AND account.role = ANY(%(roles)s)
            AND account.currency = %(currency)s
            AND (%(account)s::bigint IS NULL OR account.id = %(account)s)
            AND (NOT %(one_provider)s OR account.provider IS NOT DISTINCT FROM %(provider)s::text)
    ), moved AS MATERIALIZED (
        SELECT account.*, {BALANCE_AT} - moved.later AS closing, moved.debit, moved.credit
        FROM chosen AS account
        LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(debit) FILTER (WHERE day <= %(last)s), 0) AS debit,
                coalesce(sum(credit) FILTER (WHERE day <= %(last)s), 0) AS credit,
                coalesce(sum(debit - credit) FILTER (WHERE day > %(last)s), 0) AS later
            FROM ({_MOVED}) AS each
        ) AS moved
    )
"""  # noqa: S608 - fragments of ours
# Rows and sums in one statement, so that no posting comes between them.
_PAGE = f"""{_ACCOUNTS}
    SELECT whole.*, page.* FROM (
        SELECT count(*) AS accounts, coalesce(sum(closing - debit + credit), 0) AS opening,
            coalesce(sum(debit), 0) AS debit, coalesce(sum(credit), 0) AS credit,
            coalesce(sum(greatest(closing, 0)), 0) AS debits,
            coalesce(sum(greatest(-closing, 0)), 0) AS credits
        FROM moved
    ) AS whole LEFT JOIN (
        SELECT id, merchant_id, role, owner, provider, currency, closing - debit + credit, debit, credit
        FROM moved WHERE id > %(after)s ORDER BY id LIMIT %(limit)s
    ) AS page ON true ORDER BY page.id
"""  # noqa: S608 - fragments of ours


@dataclass(frozen=True)
class Asked:
    """Which accounts, over which days, known how far.

    `provider` counts only with `one_provider`; it may be None then. Without days it is about balances alone,
    over every date; without a place about everything posted up to now.
    """

    merchants: Collection[UUID]
    roles: Collection[str]
    currency: str
    one_provider: bool = False
    provider: str | None = None
    first_day: date | None = None
    last_day: date | None = None
    known: int | None = None
    account_id: int | None = None


def day_turnover(
    *, merchants: Collection[UUID], roles: Collection[str], first_day: date, last_day: date, known: int
) -> list[DayTurnover]:
    """Return debits and credits of these roles, day by day, up to a place of the fence; oldest first.

    For roles that have few accounts: each of them is looked into.
    """
    rows = _fetch(
        _DAYS,
        {
            "merchants": list(merchants),
            "roles": sorted(roles),
            "first": first_day,
            "last": last_day,
            "known": known,
        },
    )
    return [
        DayTurnover(role, currency, day, int(debit), int(credit))
        for role, currency, day, debit, credit in rows
    ]


def currencies_of(*, merchants: Collection[UUID], roles: Collection[str]) -> list[str]:
    """Return the currencies in which these merchants have accounts of the roles."""
    rows = _fetch(
        "SELECT DISTINCT currency FROM ledger_account WHERE merchant_id = ANY(%(merchants)s)"
        " AND role = ANY(%(roles)s) ORDER BY currency",
        {"merchants": list(merchants), "roles": sorted(roles)},
    )
    return [str(currency) for (currency,) in rows]


def turnover_by_account(
    *, asked: Asked, after: int = 0, limit: int = 50
) -> tuple[list[AccountTurnover], TurnoverSum]:
    """Return up to `limit` of the accounts behind the account `after`, by number, and the sum of all."""
    rows = _fetch(_PAGE, {**_params(asked), "after": after, "limit": limit})
    found = [AccountTurnover(*row[6:12], *(int(minor) for minor in row[12:])) for row in rows if row[6]]
    return found, TurnoverSum(*(int(each) for each in rows[0][:6]))


def turnover_sum(*, asked: Asked) -> TurnoverSum:
    """Return all of the accounts added up: what a figure says that they explain."""
    _rows, whole = turnover_by_account(asked=asked, limit=0)
    return whole


def _params(asked: Asked) -> dict[str, Any]:
    return {
        "merchants": list(asked.merchants),
        "roles": sorted(asked.roles),
        "currency": asked.currency,
        "one_provider": asked.one_provider,
        "provider": asked.provider,
        "account": asked.account_id,
        "first": asked.first_day or _ALWAYS,
        "last": asked.last_day or _ALWAYS,
        "known": _NEWEST if asked.known is None else asked.known,
    }


def _fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
