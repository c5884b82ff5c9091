"""How others read the books."""

from uuid import UUID

from django.db import connection

from ledger.types import AccountBalance

__all__ = ["balance_minor", "trial_balance"]

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
