"""Balances of accounts."""

from uuid import UUID

from django.db import connection

from ledger.types import AccountBalance, AccountLine

__all__ = ["account_lines", "balance_minor", "trial_balance"]

# The checkpoint, plus every line after it: exact at any moment, and cheap however long the account is.
_BALANCE = """
    coalesce(mark.balance_minor, 0) + coalesce((
        SELECT sum(line.amount_minor) FROM ledger_journalline AS line
        WHERE line.account_id = account.id AND line.entry_id > coalesce(mark.entry_id, 0)), 0)
"""


def balance_minor(*, account_id: int) -> int:
    """Return debits minus credits of one account, in minor units."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_BALANCE} FROM ledger_account AS account"  # noqa: S608
            " LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id"
            " WHERE account.id = %s",
            [account_id],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def trial_balance(*, merchant_id: UUID) -> list[AccountBalance]:
    """Return the balance of every account of a merchant; per currency they add up to zero."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.id, account.role, account.owner, account.provider, account.currency,"  # noqa: S608
            f" {_BALANCE} FROM ledger_account AS account"
            " LEFT JOIN ledger_accountcheckpoint AS mark ON mark.account_id = account.id"
            " WHERE account.merchant_id = %s ORDER BY account.currency, account.role, account.id",
            [merchant_id],
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
