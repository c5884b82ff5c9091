"""What must always be true of adjustments, as queries that return no rows."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

_ANY = "SELECT EXISTS (SELECT 1 FROM reconciliation_adjustment WHERE status = 'POSTED')"

INVARIANTS = [
    Invariant(
        name="adjustment_has_two_people_or_a_rule",
        says="What was adjusted was proposed by one person and agreed to by another, or posted by a rule.",
        sql="""
            SELECT made.id::text FROM reconciliation_adjustment AS made
            LEFT JOIN core_approval AS agreed ON agreed.id = made.approval_id
            WHERE made.status IN ('POSTED', 'REVERSED') AND NOT made.automatic
                AND (made.checker = '' OR made.maker = made.checker
                    OR agreed.status IS DISTINCT FROM 'APPROVED' OR agreed.maker <> made.maker
                    OR agreed.checker <> made.checker)
            UNION ALL
            SELECT made.id::text FROM reconciliation_adjustment AS made
            LEFT JOIN reconciliation_breakrule AS rule ON rule.merchant_id = made.merchant_id
                AND rule.name = made.rule_name AND rule.version = made.rule_version
            WHERE made.status IN ('POSTED', 'REVERSED') AND made.automatic AND made.reverses_id IS NULL
                AND made.template <> 'match' AND (rule.id IS NULL OR rule.status = 'DRAFT')
        """,
        exercised_sql=_ANY,
        covers=("I30", "R7"),
        nightly=True,
    ),
    Invariant(
        name="automatic_adjustment_within_caps",
        says="What a rule posted by itself has its evidence, and is within the rule's caps for a break and"
        " for a business day.",
        sql="""
            WITH posted AS (
                SELECT made.*, rule.cap_line_minor, rule.cap_day_minor FROM reconciliation_adjustment AS made
                LEFT JOIN reconciliation_breakrule AS rule ON rule.merchant_id = made.merchant_id
                    AND rule.name = made.rule_name AND rule.version = made.rule_version
                WHERE made.status = 'POSTED' AND made.automatic AND made.reverses_id IS NULL
                    AND made.template <> 'match'
            )
            SELECT id::text FROM posted
            WHERE amount_minor > coalesce(cap_line_minor, 0) OR octet_length(evidence_digest) <> 32
                OR evidence = '{}' OR evidence -> 'break' IS NULL
            UNION ALL
            SELECT merchant_id || ' ' || rule_name || ' ' || currency || ' ' || business_date FROM posted
            GROUP BY merchant_id, rule_name, currency, business_date
            HAVING sum(amount_minor) > max(cap_day_minor)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM reconciliation_adjustment WHERE automatic)",
        covers=("R7",),
        nightly=True,
    ),
    Invariant(
        name="adjustment_is_its_entry",
        says="Every adjustment that was posted is an entry of the books, with the lines that were agreed to;"
        " every such entry is one; what was taken back is an exact inverse.",
        sql="""
            WITH booked AS (
                SELECT made.id, made.entry_id, line ->> 'clearing_key' AS key,
                    line ->> 'currency' AS currency, sum((line ->> 'amount_minor')::bigint) AS minor
                FROM reconciliation_adjustment AS made
                CROSS JOIN jsonb_array_elements(made.instruction -> 'lines') AS line
                WHERE made.status IN ('POSTED', 'REVERSED') AND made.entry_id IS NOT NULL
                GROUP BY 1, 2, 3, 4
            ), found AS (
                SELECT made.id, line.clearing_key AS key, line.currency, sum(line.amount_minor) AS minor
                FROM reconciliation_adjustment AS made
                JOIN ledger_journalline AS line ON line.merchant_id = made.merchant_id
                    AND line.entry_id = made.entry_id
                WHERE made.status IN ('POSTED', 'REVERSED') GROUP BY 1, 2, 3
            )
            SELECT coalesce(booked.id, found.id)::text FROM booked
            FULL JOIN found ON found.id = booked.id AND found.key IS NOT DISTINCT FROM booked.key
                AND found.currency = booked.currency
            WHERE coalesce(booked.minor, 0) <> coalesce(found.minor, 0)
            UNION ALL
            SELECT entry.source_ref FROM ledger_journalentry AS entry
            LEFT JOIN reconciliation_adjustment AS made ON made.id::text = entry.source_ref
                AND made.merchant_id = entry.merchant_id AND made.entry_id = entry.id
            WHERE entry.source = 'adjustment' AND made.id IS NULL
            UNION ALL
            SELECT back.id::text FROM reconciliation_adjustment AS back
            JOIN reconciliation_adjustment AS was ON was.id = back.reverses_id
            LEFT JOIN ledger_journalentry AS entry ON entry.id = back.entry_id
            WHERE was.status <> 'REVERSED' OR (entry.corrects IS DISTINCT FROM was.entry_id
                -- What sellers gave for a payment that was denied goes to them, not to where it came from.
                AND (was.template, entry.kind) IS DISTINCT FROM ('A4', 'capture_denial_undone'))
        """,
        exercised_sql=_ANY,
        covers=("R2", "R5"),
        nightly=True,
    ),
    Invariant(
        name="resolved_break_has_nothing_proposed",
        says="What is proposed is of a break that waits for it, and such a break has a proposal.",
        sql="""
            SELECT broken.id::text FROM reconciliation_discrepancy AS broken
            LEFT JOIN reconciliation_adjustment AS made ON made.discrepancy_id = broken.id
                AND made.status = 'PROPOSED'
            WHERE (broken.status = 'PROPOSED') <> (made.id IS NOT NULL)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM reconciliation_discrepancy)",
        covers=("I30",),
    ),
]
