"""What a day did to the books: opening, debits, credits and closing by kind of account."""

from datetime import date
from uuid import UUID

from django.db import connection

from ledger.types import DayPosition

__all__ = ["day_positions"]

_DAY = """
    SELECT account.role, account.provider, account.currency, sum(item.opening), sum(item.debit),
        sum(item.credit)
    FROM (
        SELECT account_id,
            CASE WHEN effective_date < %(day)s THEN debit_minor - credit_minor ELSE 0 END AS opening,
            CASE WHEN effective_date = %(day)s THEN debit_minor ELSE 0 END AS debit,
            CASE WHEN effective_date = %(day)s THEN credit_minor ELSE 0 END AS credit
        FROM ledger_daytotal WHERE merchant_id = %(merchant)s AND effective_date <= %(day)s
        UNION ALL
        SELECT line.account_id,
            CASE WHEN entry.effective_date < %(day)s THEN line.amount_minor ELSE 0 END,
            CASE WHEN entry.effective_date = %(day)s THEN greatest(line.amount_minor, 0) ELSE 0 END,
            CASE WHEN entry.effective_date = %(day)s THEN greatest(-line.amount_minor, 0) ELSE 0 END
        FROM ledger_journalentry AS entry JOIN ledger_journalline AS line ON line.entry_id = entry.id
            AND line.id > entry.id * 1024 AND line.id < (entry.id + 1) * 1024
        WHERE entry.id > (SELECT day_entry FROM ledger_fence) AND entry.merchant_id = %(merchant)s
            AND entry.effective_date <= %(day)s
    ) AS item JOIN ledger_account AS account ON account.id = item.account_id
    GROUP BY account.role, account.provider, account.currency
    ORDER BY account.currency, account.role, account.provider NULLS FIRST
"""


def day_positions(*, merchant_id: UUID, day: date) -> list[DayPosition]:
    """Return opening, debits, credits and closing of a day for each role, provider and currency.

    Owners (sellers, buyers) are added up. By effective date, over all postings up to now; of a closed day it
    is the same for ever. Opening and closing are debits less credits in minor units.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DAY, {"merchant": merchant_id, "day": day})
        return [
            DayPosition(
                role=role,
                provider=provider,
                currency=currency,
                opening_minor=int(opening),
                debit_minor=int(debit),
                credit_minor=int(credit),
            )
            for role, provider, currency, opening, debit, credit in cursor.fetchall()
        ]
