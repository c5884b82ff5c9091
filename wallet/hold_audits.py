"""What must always be true of holds and of debts, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

INVARIANTS = [
    Invariant(
        name="held_is_its_open_holds",
        says="Every held cent belongs to an open hold: per wallet and account, the holds are what is held.",
        sql="""
            SELECT wallet_id, role, sum(held), sum(open) FROM (
                SELECT wallet_id, role, delta_minor AS held, 0 AS open FROM wallet_walletoperation
                WHERE bucket = 'held'
                UNION ALL
                SELECT wallet_id, role, 0, amount_minor FROM wallet_hold WHERE state = 'OPEN'
            ) AS both_sides GROUP BY wallet_id, role HAVING sum(held) <> sum(open)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_hold WHERE amount_minor > 0)",
        covers=("W1", "I26"),
        nightly=True,
    ),
    Invariant(
        name="held_is_covered",
        says="What a wallet holds is what its open holds add up to.",
        sql="""
            SELECT wallet.id, wallet.held_minor, coalesce(holds.minor, 0) FROM wallet_wallet AS wallet
            LEFT JOIN (
                SELECT wallet_id, sum(amount_minor) AS minor FROM wallet_hold WHERE state = 'OPEN'
                GROUP BY wallet_id
            ) AS holds ON holds.wallet_id = wallet.id
            WHERE wallet.held_minor <> coalesce(holds.minor, 0)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_hold WHERE amount_minor > 0)",
        covers=("W1", "I26"),
    ),
    Invariant(
        name="hold_resolved_once",
        says="A hold is settled, released or expired once, whole, and its history says the same.",
        sql="""
            SELECT hold.id, hold.state FROM wallet_hold AS hold
            LEFT JOIN LATERAL (
                SELECT count(*) FILTER (WHERE from_state = '' AND to_state = 'OPEN') AS begun,
                    count(*) FILTER (WHERE from_state = 'OPEN' AND to_state = hold.state) AS ended,
                    count(*) AS steps
                FROM core_statuschange WHERE subject_type = 'wallet.hold' AND subject_id = hold.id
            ) AS history ON true
            WHERE history.begun <> 1 OR history.steps <> 1 + (hold.state <> 'OPEN')::int
                OR history.ended <> (hold.state <> 'OPEN')::int
                OR least(hold.amount_minor, hold.settled_minor, hold.released_minor) < 0
                OR (hold.state = 'OPEN' AND hold.settled_minor + hold.released_minor <> 0)
                OR (hold.state <> 'OPEN' AND hold.settled_minor + hold.released_minor <> hold.amount_minor)
                OR (hold.state = 'SETTLED') <> (hold.settled_minor > 0)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_hold)",
        covers=("W2",),
        nightly=True,
    ),
    Invariant(
        name="hold_not_overdue",
        says="No hold stays open longer than five minutes after its time.",
        sql="SELECT id, expires_at FROM wallet_hold WHERE state = 'OPEN'"
        " AND expires_at < now() - interval '5 minutes'",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_hold WHERE expires_at IS NOT NULL)",
        covers=("W3",),
    ),
    Invariant(
        name="tombstone_is_final",
        says="A cancel that came before its try is released, holds nothing, and was never tried.",
        sql="""
            SELECT hold.id FROM wallet_hold AS hold WHERE hold.amount_minor = 0 AND (hold.state <> 'RELEASED'
                OR EXISTS (SELECT 1 FROM ledger_journalentry AS entry
                    WHERE entry.merchant_id = hold.merchant_id
                        AND (entry.source, entry.source_ref) = ('hold', hold.id::text)))
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_hold WHERE amount_minor = 0)",
        covers=("W4",),
    ),
    Invariant(
        name="debt_is_netted",
        says="No seller has something to spend while owing.",
        sql="SELECT id, available_minor, receivable_minor FROM wallet_wallet"
        " WHERE available_minor > 0 AND receivable_minor > 0",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM wallet_walletoperation WHERE bucket = 'receivable')",
    ),
]
