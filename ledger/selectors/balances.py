"""Balances of accounts: now, at an effective date, and as the books knew it at a place of the fence."""

from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.selectors.places import checked_place
from ledger.types import AccountBalance, AccountLine, TrialBalance

__all__ = ["BALANCE_AT", "account_lines", "balance_minor", "trial_balance", "trial_balance_report"]

_NEWEST = 2**63 - 1
# A sum that is kept up to some entry (`kept`), made to end at another one (`known`): lines after the kept
# ones are added, or lines after the known ones taken away. Exact at any moment, in one statement.
_ADJUSTED = """
    coalesce(({base}), 0) + coalesce((
        SELECT sum(line.amount_minor) FROM ledger_journalline AS line {join}
        WHERE line.account_id = account.id AND line.entry_id > {kept} AND line.entry_id <= %(known)s
            {dated}), 0)
    - coalesce((
        SELECT sum(line.amount_minor) FROM ledger_journalline AS line {join}
        WHERE line.account_id = account.id AND line.entry_id > %(known)s AND line.entry_id <= {kept}
            {dated}), 0)
"""
# Over all dates: from the checkpoint.
BALANCE_AT = _ADJUSTED.format(
    base="mark.balance_minor", kept="coalesce(mark.entry_id, 0)", join="", dated=""
).strip()
# Up to an effective date: from the day totals.
_DATED = _ADJUSTED.format(
    base="SELECT sum(debit_minor - credit_minor) FROM ledger_daytotal AS day"
    " WHERE day.account_id = account.id AND day.effective_date <= %(until)s",
    kept="(SELECT day_entry FROM ledger_fence)",
    join="JOIN ledger_journalentry AS entry ON entry.id = line.entry_id",
    dated="AND entry.effective_date <= %(until)s",
).strip()
_FROM = """
    FROM ledger_account AS account LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id
"""


def balance_minor(
    *, account_id: int, effective_until: date | None = None, recorded_until: int | None = None
) -> int:
    """Return debits minus credits of one account, in minor units.

    Over entries with an effective date up to one, and up to a place of the fence, where given; the same
    date and place give the same number for ever. Raises PlaceUnknown for a place above the fence.
    """
    balance, parameters = _balance_at(effective_until, recorded_until)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {balance} {_FROM} WHERE account.id = %(account)s",
            {**parameters, "account": account_id},
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def trial_balance(
    *, merchant_id: UUID, effective_until: date | None = None, recorded_until: int | None = None
) -> list[AccountBalance]:
    """Return the balance of every account of a merchant; per currency they add up to zero.

    Raises PlaceUnknown as `balance_minor`.
    """
    balance, parameters = _balance_at(effective_until, recorded_until)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.id, account.role, account.owner, account.provider, account.currency,"
            f" {balance} {_FROM}"
            " WHERE account.merchant_id = %(merchant)s ORDER BY account.currency, account.role, account.id",
            {**parameters, "merchant": merchant_id},
        )
        return [
            AccountBalance(
                account_id=account_id,
                role=role,
                owner=owner,
                provider=provider,
                currency=currency,
                balance_minor=int(balance),
            )
            for account_id, role, owner, provider, currency, balance in cursor.fetchall()
        ]


def trial_balance_report(
    *, merchant_id: UUID, effective_until: date | None = None, recorded_until: int | None = None
) -> TrialBalance:
    """Return the trial balance with debit and credit columns and their totals, without accounts at zero.

    Raises PlaceUnknown as `balance_minor`.
    """
    accounts = trial_balance(
        merchant_id=merchant_id, effective_until=effective_until, recorded_until=recorded_until
    )
    return TrialBalance(
        merchant_id=merchant_id,
        effective_until=effective_until,
        recorded_until=recorded_until,
        accounts=tuple(account for account in accounts if account.balance_minor),
    )


def _balance_at(effective_until: date | None, recorded_until: int | None) -> tuple[str, dict[str, Any]]:
    known = _NEWEST if recorded_until is None else checked_place(recorded_until=recorded_until)
    if effective_until is None:
        return BALANCE_AT, {"known": known}
    return _DATED, {"known": known, "until": effective_until}


def account_lines(*, account_id: int, after_line: int = 0, limit: int = 100) -> list[AccountLine]:
    """Return up to `limit` lines of one account, oldest first, that come after the line `after_line`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT line.id, entry.id, entry.kind, entry.source, entry.source_ref, entry.effective_date,"
            " entry.recorded_at, line.amount_minor, line.currency, line.clearing_key"
            " FROM ledger_journalline AS line JOIN ledger_journalentry AS entry ON entry.id = line.entry_id"
            # By entry for the index, by line for the place within the entry.
            " WHERE line.account_id = %s AND line.entry_id >= %s AND line.id > %s"
            " ORDER BY line.entry_id, line.id LIMIT %s",
            [account_id, after_line // 1024, after_line, limit],
        )
        return [AccountLine(*row) for row in cursor.fetchall()]
