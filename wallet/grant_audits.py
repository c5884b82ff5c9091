"""What must always be true of bonus and points, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY_GRANT = "SELECT EXISTS (SELECT 1 FROM wallet_grant)"
_ANY_POINTS = "SELECT EXISTS (SELECT 1 FROM wallet_grant WHERE kind = 'points')"
_ANY_RETURN = "SELECT EXISTS (SELECT 1 FROM wallet_grantreturn)"
# What each hold took of a grant, less what refunds gave back of it.
_USES = """
    SELECT uses.id, uses.grant_id, uses.hold_id, uses.units_minor, uses.value_minor,
        coalesce(sum(back.units_minor), 0) AS units_back, coalesce(sum(back.value_minor), 0) AS value_back
    FROM wallet_grantuse AS uses LEFT JOIN wallet_grantreturn AS back ON back.use_id = uses.id
    GROUP BY uses.id
"""

INVARIANTS = [
    Invariant(
        name="grant_posted_once",
        says="Every grant of bonus or points is in the books once, at its worth, and nothing else is.",
        sql="""
            SELECT wallet_grant.id::text, wallet_grant.value_minor, min(line.amount_minor)
            FROM wallet_grant
            LEFT JOIN ledger_journalentry AS entry ON entry.merchant_id = wallet_grant.merchant_id
                AND entry.source = 'promotion' AND entry.source_ref = wallet_grant.id::text
                AND entry.kind = wallet_grant.kind || '_granted'
            LEFT JOIN (ledger_journalline AS line
                JOIN ledger_account AS account ON account.id = line.account_id AND account.role = 'promo')
                ON line.entry_id = entry.id
            GROUP BY wallet_grant.id
            HAVING count(line.id) <> 1 OR min(line.amount_minor) <> wallet_grant.value_minor
            UNION ALL
            SELECT entry.source_ref, 0, 0 FROM ledger_journalentry AS entry
            WHERE entry.source = 'promotion' AND entry.leg = 'granted'
                AND EXISTS (SELECT 1 FROM wallet_grant AS any_grant
                    WHERE any_grant.merchant_id = entry.merchant_id)
                AND NOT EXISTS (SELECT 1 FROM wallet_grant AS own WHERE own.id::text = entry.source_ref)
        """,
        exercised_sql=_ANY_GRANT,
        covers=("P1",),
        nightly=True,
    ),
    Invariant(
        name="grant_used_is_its_holds",
        says="What of a grant of points is used are the holds of it that were not given back, nor refunded.",
        sql=f"""
            SELECT wallet_grant.id, wallet_grant.used_minor, coalesce(held.units, 0)
            FROM wallet_grant
            LEFT JOIN (
                SELECT uses.grant_id, sum(uses.units_minor - uses.units_back) AS units,
                    sum(uses.value_minor - uses.value_back) AS value
                FROM ({_USES}) AS uses JOIN wallet_hold AS hold ON hold.id = uses.hold_id
                WHERE hold.state IN ('OPEN', 'SETTLED') GROUP BY uses.grant_id
            ) AS held ON held.grant_id = wallet_grant.id
            WHERE wallet_grant.kind = 'points'
                AND (wallet_grant.used_minor, wallet_grant.used_value_minor)
                    <> (coalesce(held.units, 0), coalesce(held.value, 0))
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_POINTS,
        covers=("W1",),
        nightly=True,
    ),
    Invariant(
        name="grant_gets_back_what_it_gave",
        says="Refunds give no more points back than a settled hold took, and the last point and the last unit"
        " of its worth come back together.",
        sql=f"""
            SELECT uses.id, uses.units_back, uses.value_back FROM ({_USES}) AS uses
            JOIN wallet_hold AS hold ON hold.id = uses.hold_id
            WHERE uses.units_back > uses.units_minor OR uses.value_back > uses.value_minor
                OR (uses.units_back = uses.units_minor) <> (uses.value_back = uses.value_minor)
                OR (uses.units_back > 0 AND hold.state <> 'SETTLED')
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_RETURN,
        covers=("P2",),
    ),
    Invariant(
        name="points_left_are_available",
        says="What is available of points is what is left of the grants.",
        sql="""
            SELECT wallet.id, wallet.available_minor, sum(given.amount_minor - given.used_minor)
            FROM wallet_wallet AS wallet
            JOIN wallet_grant AS given ON given.wallet_id = wallet.id AND given.kind = 'points'
            GROUP BY wallet.id HAVING wallet.available_minor <> sum(given.amount_minor - given.used_minor)
        """,
        exercised_sql=_ANY_POINTS,
        covers=("W1",),
    ),
    Invariant(
        name="points_position_is_what_is_left",
        says="Under each grant the books hold, in money and in points, exactly what was not spent of it, or"
        " was refunded.",
        sql=f"""
            SELECT given.id, wanted.currency, wanted.minor FROM wallet_grant AS given
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(uses.units_minor - uses.units_back), 0) AS units,
                    coalesce(sum(uses.value_minor - uses.value_back), 0) AS value
                FROM ({_USES}) AS uses JOIN wallet_hold AS hold ON hold.id = uses.hold_id
                WHERE uses.grant_id = given.id AND hold.state = 'SETTLED'
            ) AS spent
            CROSS JOIN LATERAL (
                SELECT given.currency AS currency, -(given.value_minor - spent.value) AS minor
                UNION ALL SELECT 'PTS', given.amount_minor - spent.units
            ) AS wanted
            LEFT JOIN LATERAL (
                SELECT line.currency, sum(line.amount_minor) AS minor FROM ledger_journalline AS line
                JOIN ledger_account AS account ON account.id = line.account_id
                    AND account.role = 'fx_position'
                WHERE line.merchant_id = given.merchant_id AND line.clearing_key = given.id::text
                    AND line.currency = wanted.currency
                GROUP BY line.currency
            ) AS standing ON true
            WHERE given.kind = 'points' AND coalesce(standing.minor, 0) <> wanted.minor
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_POINTS,
        covers=("P1",),
        nightly=True,
    ),
]
