"""What clearing accounts hold, by key, and since when: as the books stood at the end of a day.

From the open keys that are kept behind the fence and the tail of lines above it; what was posted for later
days is taken out again. So the cost grows with what is open and with what came after the day, not with the
books. Only of keys that are open are the lines looked at one by one.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from ledger.types import ClearingTotal, OpenKey

__all__ = ["clearing_totals", "open_clearing"]

_AGED = """
    WITH account AS MATERIALIZED (
        SELECT account.id, account.role, account.provider, account.currency, late.before,
            coalesce((SELECT min(day.first_entry) FROM ledger_daytotal AS day
                WHERE day.account_id = account.id AND day.effective_date > %(until)s),
                (SELECT day_entry + 1 FROM ledger_fence)) AS later_from
        FROM ledger_account AS account
        LEFT JOIN unnest(%(late_roles)s::text[], %(late_days)s::date[]) AS late (role, before)
            ON late.role = account.role
        WHERE account.merchant_id = %(merchant)s AND account.clearing
            AND (%(roles)s::text[] IS NULL OR account.role = ANY(%(roles)s::text[]))
    ), open AS MATERIALIZED (
        SELECT account_id, clearing_key, sum(minor) AS minor FROM (
            SELECT known.account_id, known.clearing_key, known.balance_minor AS minor
            FROM account JOIN ledger_openkey AS known ON known.account_id = account.id
            UNION ALL
            SELECT line.account_id, line.clearing_key, line.amount_minor
            FROM account JOIN ledger_journalline AS line ON line.account_id = account.id
                AND line.entry_id > (SELECT key_entry FROM ledger_fence)
            UNION ALL
            SELECT line.account_id, line.clearing_key, -line.amount_minor
            FROM account JOIN ledger_journalline AS line
                ON line.account_id = account.id AND line.entry_id >= account.later_from
            JOIN ledger_journalentry AS entry ON entry.id = line.entry_id AND entry.effective_date > %(until)s
        ) AS item GROUP BY account_id, clearing_key HAVING sum(minor) <> 0
    ), aged AS (
        SELECT account.id, account.role, account.provider, account.currency, open.clearing_key, open.minor,
            age.opened_on, age.last_on, age.lines, coalesce(age.opened_on < account.before, false) AS is_late
        FROM open JOIN account ON account.id = open.account_id
        CROSS JOIN LATERAL (
            -- Open since the last day on whose eve it was zero.
            SELECT (array_agg(dated ORDER BY day DESC) FILTER (WHERE before = 0))[1] AS opened_on,
                max(day) AS last_on, sum(lines) AS lines
            FROM (
                SELECT day, dated, lines, sum(minor) OVER (ORDER BY day) - minor AS before FROM (
                    SELECT entry.effective_date AS day, sum(line.amount_minor) AS minor, count(*) AS lines,
                        min(coalesce(entry.original_date, entry.effective_date)) AS dated
                    FROM ledger_journalline AS line
                    JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
                    WHERE line.account_id = open.account_id AND line.clearing_key = open.clearing_key
                        AND entry.effective_date <= %(until)s
                    GROUP BY entry.effective_date
                ) AS moved
            ) AS stood
        ) AS age
    )
"""
_KEYS = f"""{_AGED}
    SELECT id, role, provider, currency, clearing_key, minor, opened_on, last_on, lines, is_late
    FROM aged WHERE is_late OR NOT %(late_only)s
    ORDER BY opened_on, role, id, clearing_key LIMIT %(limit)s
"""  # noqa: S608 - fragments of ours
_TOTALS = f"""{_AGED}
    SELECT id, role, provider, currency, count(*), sum(minor), count(*) FILTER (WHERE is_late),
        coalesce(sum(abs(minor)) FILTER (WHERE is_late), 0), min(opened_on)
    FROM aged GROUP BY id, role, provider, currency ORDER BY currency, role, provider, id
"""  # noqa: S608 - fragments of ours


def open_clearing(
    *,
    merchant_id: UUID,
    as_of: date,
    late_before: Mapping[str, date] | None = None,
    roles: Collection[str] | None = None,
    late_only: bool = False,
    limit: int | None = None,
) -> list[OpenKey]:
    """Return the keys of a merchant's clearing accounts that were not zero at the end of a day, oldest first.

    A key of a role is late when it has been open since before the day that `late_before` names for the role;
    a role that it does not name is never late. A late item counts from its own date (`original_date`).
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _KEYS,
            {**_params(merchant_id, as_of, late_before, roles), "late_only": late_only, "limit": limit},
        )
        return [
            OpenKey(
                account_id=row[0],
                role=row[1],
                provider=row[2],
                currency=row[3],
                clearing_key=row[4],
                balance_minor=int(row[5]),
                opened_on=row[6],
                last_on=row[7],
                lines=int(row[8]),
                is_late=row[9],
            )
            for row in cursor.fetchall()
        ]


def clearing_totals(
    *,
    merchant_id: UUID,
    as_of: date,
    late_before: Mapping[str, date] | None = None,
    roles: Collection[str] | None = None,
) -> list[ClearingTotal]:
    """Return, for each clearing account that had open keys at the end of a day, how many and how much.

    `late_before` as in `open_clearing`. Amounts are minor units, debits less credits; `late_minor` adds up
    the late keys without their signs, as what is at stake.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TOTALS,
            _params(merchant_id, as_of, late_before, roles),
        )
        return [
            ClearingTotal(
                account_id=row[0],
                role=row[1],
                provider=row[2],
                currency=row[3],
                keys=int(row[4]),
                balance_minor=int(row[5]),
                late_keys=int(row[6]),
                late_minor=int(row[7]),
                oldest_on=row[8],
            )
            for row in cursor.fetchall()
        ]


def _params(
    merchant_id: UUID,
    as_of: date,
    late_before: Mapping[str, date] | None,
    roles: Collection[str] | None,
) -> dict[str, Any]:
    late = sorted((late_before or {}).items())
    return {
        "merchant": merchant_id,
        "until": as_of,
        "late_roles": [role for role, _ in late],
        "late_days": [day for _, day in late],
        "roles": None if roles is None else sorted(roles),
    }
