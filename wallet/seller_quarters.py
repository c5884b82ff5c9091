"""What sellers' wallets gained and lost, quarter by quarter and by what it was for."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from wallet.statement_kinds import CATEGORIES, FEE_ROLE, category_of

__all__ = ["Quarter", "quarters_of_sellers"]

Quarter = tuple[UUID, str, int]
"""A seller, a currency, and a quarter from 1 within the year."""

_MOVED = """
    SELECT wallet.owner_id, wallet.currency,
        extract(quarter FROM op.recorded_at AT TIME ZONE %(zone)s)::int AS quarter, entry.kind,
        sum(CASE op.bucket WHEN 'receivable' THEN -op.delta_minor ELSE op.delta_minor END)::bigint
    FROM wallet_wallet AS wallet JOIN wallet_walletoperation AS op ON op.wallet_id = wallet.id
    JOIN ledger_journalentry AS entry ON entry.id = op.line_id / 1024
    WHERE wallet.merchant_id = %(merchant)s AND wallet.owner_type = 'seller'
        AND wallet.owner_id = ANY (%(sellers)s) AND wallet.kind = 'cash'
        AND op.recorded_at >= %(since)s AND op.recorded_at < %(until)s
    GROUP BY 1, 2, 3, 4
"""
# The fees in the entries of payouts: each entry once, however many lines of it are on the wallet.
_FEES = """
    SELECT found.owner_id, found.currency, found.quarter, found.kind, sum(line.amount_minor)::bigint
    FROM (
        SELECT DISTINCT wallet.owner_id, wallet.currency, entry.id, entry.kind,
            extract(quarter FROM op.recorded_at AT TIME ZONE %(zone)s)::int AS quarter
        FROM wallet_wallet AS wallet JOIN wallet_walletoperation AS op ON op.wallet_id = wallet.id
        JOIN ledger_journalentry AS entry ON entry.id = op.line_id / 1024
        WHERE wallet.merchant_id = %(merchant)s AND wallet.owner_type = 'seller'
            AND wallet.owner_id = ANY (%(sellers)s) AND wallet.kind = 'cash'
            AND op.recorded_at >= %(since)s AND op.recorded_at < %(until)s AND entry.kind LIKE 'payout\\_%%'
    ) AS found
    JOIN ledger_journalline AS line ON line.id BETWEEN found.id * 1024 + 1 AND found.id * 1024 + 1023
    JOIN ledger_account AS account ON account.id = line.account_id AND account.role = %(fee)s
    GROUP BY 1, 2, 3, 4
"""


def quarters_of_sellers(
    *, merchant_id: UUID, seller_ids: Collection[UUID], since: datetime, until: datetime, zone: str
) -> dict[Quarter, dict[str, int]]:
    """Return what these sellers' wallets of cash gained from `since` until before `until`, in minor units.

    By seller, currency and quarter of the zone, then by category as in a statement; losses are below zero.
    """
    words: dict[str, Any] = {
        "merchant": merchant_id,
        "sellers": list(seller_ids),
        "since": since,
        "until": until,
        "zone": zone,
        "fee": FEE_ROLE,
    }
    found: dict[Quarter, dict[str, int]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_MOVED, words)
        for *quarter, kind, minor in cursor.fetchall():
            found.setdefault(_key(quarter), dict.fromkeys(CATEGORIES, 0))[category_of(kind)] += minor
        cursor.execute(_FEES, words)
        for *quarter, kind, minor in cursor.fetchall():
            totals = found[_key(quarter)]
            totals["fees"] += minor
            totals[category_of(kind)] -= minor
    return found


def _key(columns: list[object]) -> Quarter:
    seller_id, currency, quarter = columns
    assert isinstance(seller_id, UUID) and isinstance(quarter, int)
    return seller_id, str(currency), quarter
