"""What must always be true of corrections, groups, day totals, closed periods and past knowledge."""

from core.audits import Invariant

__all__ = ["INVARIANTS"]

# Day totals again from the lines: over all entries up to a place, or up to the closed days.
_DAYS = """
    SELECT line.account_id, entry.effective_date,
        coalesce(sum(line.amount_minor) FILTER (WHERE line.amount_minor > 0), 0) AS debit_minor,
        coalesce(-sum(line.amount_minor) FILTER (WHERE line.amount_minor < 0), 0) AS credit_minor,
        count(*) AS lines, min(entry.id) AS first_entry, max(entry.id) AS last_entry
    FROM ledger_journalline AS line JOIN ledger_journalentry AS entry ON entry.id = line.entry_id
    {which} GROUP BY line.account_id, entry.effective_date
"""

_FOLDED_DAYS = _DAYS.format(which="WHERE entry.id <= (SELECT day_entry FROM ledger_fence)")
_CLOSED_DAYS = _DAYS.format(
    which="JOIN closed ON closed.merchant_id = entry.merchant_id AND closed.through >= entry.effective_date"
)
_DAY = "coalesce(kept.account_id, lines.account_id), coalesce(kept.effective_date, lines.effective_date)"

INVARIANTS = [
    Invariant(
        name="correction_is_the_inverse",
        says="An entry is corrected at most once, by its exact inverse, and a correction never.",
        sql="""
            SELECT corrects, 'more than once' FROM ledger_journalentry WHERE corrects IS NOT NULL
            GROUP BY corrects HAVING count(*) > 1
            UNION ALL
            SELECT correction.id, 'of nothing, of a correction, or too early'
            FROM ledger_journalentry AS correction
            LEFT JOIN ledger_journalentry AS original ON original.id = correction.corrects
                AND original.merchant_id = correction.merchant_id
            WHERE correction.corrects IS NOT NULL AND (original.id IS NULL OR original.corrects IS NOT NULL
                OR correction.effective_date < original.effective_date)
            UNION ALL
            SELECT id, 'not the inverse' FROM (
                SELECT correction.id, line.line_no, line.account_id, line.currency, line.clearing_key,
                    line.amount_minor
                FROM ledger_journalentry AS correction
                JOIN ledger_journalline AS line ON line.entry_id IN (correction.id, correction.corrects)
                WHERE correction.corrects IS NOT NULL
            ) AS pair
            GROUP BY id, line_no, account_id, currency, clearing_key
            HAVING count(*) <> 2 OR sum(amount_minor) <> 0
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry WHERE corrects IS NOT NULL)",
        covers=("I09", "L9"),
    ),
    Invariant(
        name="group_is_whole",
        says="A group has exactly as many entries as each of them announces.",
        sql="""SELECT merchant_id, group_id, count(*), min(group_size), max(group_size)
            FROM ledger_journalentry WHERE group_id IS NOT NULL GROUP BY merchant_id, group_id
            HAVING count(*) <> min(group_size) OR min(group_size) <> max(group_size)""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_journalentry WHERE group_id IS NOT NULL)",
        covers=("L11",),
    ),
    Invariant(
        name="knowledge_stays",
        says="Below a place that the fence has passed, no entry appears and none vanishes.",
        sql="""SELECT mark.entry_id, mark.entries, count(entry.id)
            FROM (SELECT entry_id, entries, coalesce(lag(entry_id) OVER (ORDER BY entry_id), 0) AS since
                FROM ledger_fencemark) AS mark
            LEFT JOIN ledger_journalentry AS entry ON entry.id > mark.since AND entry.id <= mark.entry_id
            GROUP BY mark.entry_id, mark.entries HAVING count(entry.id) <> mark.entries""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_fencemark WHERE entries > 0)",
        covers=("L12",),
        nightly=True,
    ),
    Invariant(
        name="day_totals_are_the_sum",
        says="The day totals are the sums of the lines up to their place, which lies below the fence.",
        sql=f"""
            SELECT {_DAY}
            FROM ledger_daytotal AS kept
            FULL JOIN ({_FOLDED_DAYS}) AS lines
                ON lines.account_id = kept.account_id AND lines.effective_date = kept.effective_date
            WHERE (kept.debit_minor, kept.credit_minor, kept.lines, kept.first_entry, kept.last_entry)
                IS DISTINCT FROM (lines.debit_minor, lines.credit_minor, lines.lines, lines.first_entry,
                    lines.last_entry)
            UNION ALL
            SELECT NULL, NULL FROM ledger_fence WHERE day_entry > safe_entry
        """,  # noqa: S608
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_daytotal)",
        covers=("L13",),
        nightly=True,
    ),
    Invariant(
        name="every_day_balances",
        says="Debits are credits on every day of a merchant and currency, so at any date the books balance.",
        sql="""
            SELECT account.merchant_id, account.currency, day.effective_date,
                sum(day.debit_minor) - sum(day.credit_minor)
            FROM ledger_daytotal AS day JOIN ledger_account AS account ON account.id = day.account_id
            GROUP BY account.merchant_id, account.currency, day.effective_date
            HAVING sum(day.debit_minor) <> sum(day.credit_minor)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_daytotal)",
        covers=("P6",),
        nightly=True,
    ),
    Invariant(
        name="closed_days_stay",
        says="The totals of closed days are what they were at the closing; closed periods have no gaps.",
        sql=f"""
            WITH closed AS (
                SELECT merchant_id, max(last_day) AS through FROM ledger_closedperiod GROUP BY merchant_id
            )
            SELECT {_DAY}
            FROM ledger_closedtotal AS kept
            FULL JOIN ({_CLOSED_DAYS}) AS lines
                ON lines.account_id = kept.account_id AND lines.effective_date = kept.effective_date
            WHERE (kept.debit_minor, kept.credit_minor)
                IS DISTINCT FROM (lines.debit_minor, lines.credit_minor)
            UNION ALL
            SELECT NULL, first_day FROM (
                SELECT first_day, lag(last_day) OVER (PARTITION BY merchant_id ORDER BY last_day) AS before
                FROM ledger_closedperiod
            ) AS period WHERE first_day <> before + 1
        """,  # noqa: S608
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_closedperiod)",
        covers=("L13",),
        nightly=True,
    ),
    Invariant(
        name="closing_was_approved",
        says="Every closed period has the approval of a second person to exactly its last day.",
        sql="""SELECT period.id FROM ledger_closedperiod AS period
            LEFT JOIN core_approval AS approval ON approval.id = period.approval_id
            WHERE approval.id IS NULL OR approval.merchant_id <> period.merchant_id
                OR approval.action <> 'period.close' OR approval.status = 'REJECTED'
                OR approval.decided_at IS NULL OR approval.decided_at > period.closed_at
                OR approval.maker <> period.maker OR approval.checker IS DISTINCT FROM period.checker
                OR (approval.instruction ->> 'through')::date IS DISTINCT FROM period.last_day""",
        exercised_sql="SELECT EXISTS (SELECT 1 FROM ledger_closedperiod)",
        covers=("I30",),
    ),
]
