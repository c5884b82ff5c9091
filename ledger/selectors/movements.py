"""What each kind of entry moved on each role of account, for those who compare the books with other books."""

from collections.abc import Sequence
from uuid import UUID

from django.db import connection

from ledger.types import Movement

__all__ = ["movement_totals"]


def movement_totals(*, merchant_id: UUID, roles: Sequence[str]) -> list[Movement]:
    """Return per currency, role and kind of entry what was moved: debits positive, in minor units.

    It reads every line of these roles; for reports, not for requests.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.currency, account.role, entry.kind, sum(line.amount_minor)"
            " FROM ledger_journalline AS line"
            " JOIN ledger_account AS account ON account.id = line.account_id"
            " JOIN ledger_journalentry AS entry ON entry.id = line.entry_id"
            " WHERE account.merchant_id = %s AND account.role = ANY(%s)"
            " GROUP BY account.currency, account.role, entry.kind ORDER BY 1, 2, 3",
            [merchant_id, list(roles)],
        )
        return [
            Movement(currency, role, kind, int(amount)) for currency, role, kind, amount in cursor.fetchall()
        ]
