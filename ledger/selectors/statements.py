"""The statement of an account by effective date: opening, lines with a running balance, closing."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.errors import AccountUnknown
from ledger.selectors.balances import balance_minor
from ledger.selectors.places import checked_place, current_place
from ledger.types import Statement, StatementLine, StatementPlace

__all__ = ["account_statement"]

_DAYS = """
    SELECT effective_date, lines FROM ledger_daytotal
    WHERE account_id = %(account)s AND effective_date BETWEEN %(from)s AND %(until)s ORDER BY effective_date
"""
# Where the lines of the days stand: between the first and the last entry of the day totals, and in the tail
# that they do not hold yet. Both parts use the index of the account.
_LINES = """
    WITH fence AS (SELECT day_entry FROM ledger_fence), days AS (
        SELECT min(first_entry) AS first, least(max(last_entry), %(known)s) AS last FROM ledger_daytotal
        WHERE account_id = %(account)s AND effective_date BETWEEN %(from)s AND %(until)s
    ), line AS (
        SELECT line.* FROM days JOIN ledger_journalline AS line ON line.account_id = %(account)s
            AND line.entry_id BETWEEN days.first AND days.last
        UNION ALL
        SELECT line.* FROM fence JOIN ledger_journalline AS line ON line.account_id = %(account)s
            AND line.entry_id > fence.day_entry AND line.entry_id <= %(known)s
    )
    SELECT {wanted} FROM line JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    WHERE entry.effective_date BETWEEN %(from)s AND %(until)s
"""
_PAGE = (
    _LINES.format(
        wanted="line.id, entry.id, entry.kind, entry.source, entry.source_ref, entry.effective_date,"
        " entry.original_date, entry.recorded_at, line.amount_minor, line.clearing_key, entry.corrects"
    )
    + " AND (entry.effective_date > %(after_day)s OR line.id > %(after_line)s)"
    " ORDER BY entry.effective_date, line.id LIMIT %(limit)s"
)
_BEFORE = _LINES.format(wanted="coalesce(sum(line.amount_minor), 0)") + " AND line.id <= %(after_line)s"


def account_statement(
    *,
    merchant_id: UUID,
    account_id: int,
    first_day: date,
    last_day: date,
    recorded_until: int | None = None,
    after: StatementPlace | None = None,
    limit: int = 100,
) -> Statement:
    """Return a page of up to `limit` lines of an account from one effective date to another, both included.

    Read up to a place of the fence, by default where it stands now; pass it on together with `next` to get
    the following pages of the same statement. Over all pages opening plus lines is closing. Raises
    AccountUnknown, PlaceUnknown.
    """
    currency = _currency(merchant_id, account_id)
    if recorded_until is None:
        recorded_until = current_place()
    known = checked_place(recorded_until=recorded_until)
    opening = _before(account_id, first_day, known)
    closing = balance_minor(account_id=account_id, effective_until=last_day, recorded_until=known)
    place = after or StatementPlace(first_day, 0)
    asked = {
        "account": account_id,
        "known": known,
        "from": max(place.effective_date, first_day),
        "until": last_day,
        "after_day": place.effective_date,
        "after_line": place.line_id,
        "limit": limit + 1,
    }
    page_opening = opening
    if after is not None:
        rows = _fetch(_BEFORE, {**asked, "until": place.effective_date})
        page_opening = _before(account_id, place.effective_date, known) + int(rows[0][0])
    rows = _page(asked, limit)
    lines = _running(rows[:limit], page_opening)
    return Statement(
        account_id=account_id,
        currency=currency,
        first_day=first_day,
        last_day=last_day,
        recorded_until=known,
        opening_minor=opening,
        page_opening_minor=page_opening,
        closing_minor=closing,
        lines=lines,
        next=StatementPlace(lines[-1].effective_date, lines[-1].id) if len(rows) > limit else None,
    )


def _before(account_id: int, day: date, known: int) -> int:
    """The balance before a day begins."""
    if day == date.min:
        return 0
    yesterday = date.fromordinal(day.toordinal() - 1)
    return balance_minor(account_id=account_id, effective_until=yesterday, recorded_until=known)


def _page(asked: dict[str, Any], limit: int) -> list[tuple[Any, ...]]:
    """Sort no more days than the page needs, as far as the day totals tell."""
    shorter = _enough_days(asked, limit)
    if shorter < asked["until"]:
        rows = _fetch(_PAGE, {**asked, "until": shorter})
        if len(rows) > limit:
            return rows
    return _fetch(_PAGE, asked)


def _enough_days(asked: dict[str, Any], limit: int) -> date:
    """The first day by which the days after the one where the page begins have more lines than it takes."""
    until: date = asked["until"]
    lines = 0
    day: date
    for day, count in _fetch(_DAYS, asked):
        if day > asked["after_day"]:
            lines += count
        if lines > limit:
            return day
    return until


def _running(rows: list[tuple[Any, ...]], balance: int) -> tuple[StatementLine, ...]:
    lines = []
    for line_id, entry_id, kind, source, ref, day, original, recorded_at, amount, key, corrects in rows:
        balance += amount
        lines.append(
            StatementLine(
                id=line_id,
                entry_id=entry_id,
                kind=kind,
                source=source,
                source_ref=ref,
                effective_date=day,
                original_date=original,
                recorded_at=recorded_at,
                debit_minor=max(amount, 0),
                credit_minor=max(-amount, 0),
                balance_minor=balance,
                clearing_key=key,
                corrects=corrects,
            )
        )
    return tuple(lines)


def _currency(merchant_id: UUID, account_id: int) -> str:
    rows = _fetch(
        "SELECT currency FROM ledger_account WHERE id = %(account)s AND merchant_id = %(merchant)s",
        {"account": account_id, "merchant": merchant_id},
    )
    if not rows:
        raise AccountUnknown()
    return str(rows[0][0])


def _fetch(sql: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
