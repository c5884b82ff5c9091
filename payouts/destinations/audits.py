"""What must always be true of destinations and blocks, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

# When each payout was last about to be sent.
_SENDINGS = """
    SELECT payout.id, payout.merchant_id, payout.seller_id, payout.destination_id,
        payout.amount_currency AS currency, max(change.recorded_at) AS at
    FROM payouts_payout AS payout
    JOIN core_statuschange AS change
        ON change.subject_type = 'payouts.payout' AND change.subject_id = payout.id
    WHERE change.to_state = 'EXECUTING' GROUP BY payout.id
"""
_ANY_SENDING = """
    SELECT EXISTS (
        SELECT 1 FROM core_statuschange WHERE subject_type = 'payouts.payout' AND to_state = 'EXECUTING')
"""

INVARIANTS = [
    Invariant(
        name="payout_went_to_a_verified_destination",
        says="Whenever a payout was sent, its destination was verified, was neither rejected nor removed, and"
        " its cool-down was over.",
        sql=f"""
            SELECT sending.id, sending.destination_id, sending.at
            FROM ({_SENDINGS}) AS sending
            JOIN payouts_destination AS destination ON destination.id = sending.destination_id
            LEFT JOIN LATERAL (
                SELECT min(recorded_at) FILTER (WHERE to_state = 'VERIFIED') AS verified,
                    min(recorded_at) FILTER (WHERE to_state IN ('REJECTED', 'REMOVED')) AS gone
                FROM core_statuschange AS change
                WHERE change.subject_type = 'payouts.destination' AND change.subject_id = destination.id
            ) AS history ON true
            WHERE destination.usable_from > sending.at OR history.verified IS NULL
                OR history.verified > sending.at OR history.gone < sending.at
        """,  # noqa: S608 - built from constants
        exercised_sql=_ANY_SENDING,
    ),
    Invariant(
        name="destination_was_verified_by_another",
        says="A destination was verified by a person, who is the one that its row names and did not add it.",
        sql="""
            SELECT destination.id, destination.added_by, destination.verified_by, change.actor
            FROM payouts_destination AS destination
            LEFT JOIN core_statuschange AS change ON change.subject_type = 'payouts.destination'
                AND change.subject_id = destination.id AND change.to_state = 'VERIFIED'
            WHERE CASE WHEN change.id IS NULL
                THEN destination.status = 'VERIFIED' OR destination.verified_by <> ''
                ELSE change.actor <> destination.verified_by OR change.actor = destination.added_by
                    OR change.actor NOT LIKE 'user:%'
                END
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payouts_destination WHERE verified_by <> '')",
        covers=("I30",),
    ),
    Invariant(
        name="nothing_was_sent_while_blocked",
        says="No payout was sent while a block of its seller or merchant stood, in its currency or in all.",
        sql=f"""
            SELECT sending.id, block.id, sending.at
            FROM ({_SENDINGS}) AS sending
            JOIN payouts_payoutblock AS block ON block.merchant_id = sending.merchant_id
                AND (block.seller_id IS NULL OR block.seller_id = sending.seller_id)
                AND block.currency IN ('', sending.currency)
            WHERE sending.at > block.placed_at
                AND (block.lifted_at IS NULL OR sending.at < block.lifted_at)
        """,  # noqa: S608 - built from constants
        exercised_sql="SELECT EXISTS (SELECT 1 FROM payouts_payoutblock)",
    ),
]
