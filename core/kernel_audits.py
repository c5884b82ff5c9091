"""What must always be true of histories, stored answers and approvals, as queries that return no rows."""

from collections.abc import Sequence

from core.audits import Invariant
from core.fsm import StatefulModel

__all__ = ["INVARIANTS", "history_invariants"]

INVARIANTS = [
    Invariant(
        name="answer_kept_once",
        says="A key of a merchant has one stored answer, whole; without its answer no key is stored.",
        sql="""
            SELECT merchant_id, key FROM core_idempotencyrecord GROUP BY merchant_id, key HAVING count(*) > 1
            UNION ALL
            SELECT merchant_id, key FROM core_idempotencyrecord
            WHERE status IS NULL OR status NOT BETWEEN 200 AND 299 OR body IS NULL
                OR length(fingerprint) IS DISTINCT FROM 32
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM core_idempotencyrecord)",
        covers=("I18", "I19"),
        nightly=True,
    ),
    Invariant(
        name="decided_by_another",
        says="Every decision was made by another person than asked for it, and is in the audit trail.",
        sql="""
            SELECT approval.id, 'decided alone' FROM core_approval AS approval
            WHERE approval.status IN ('APPROVED', 'REJECTED')
                AND (approval.checker IS NULL OR approval.checker = approval.maker
                    OR approval.decided_at IS NULL)
            UNION ALL
            SELECT approval.id, 'not in the trail' FROM core_approval AS approval
            WHERE approval.checker IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM core_auditrecord AS record
                WHERE record.subject = approval.subject AND record.actor = approval.checker
                    AND record.action IN ('approval.approve', 'approval.reject')
                    AND record.detail ->> 'approval' = approval.id::text)
        """,
        exercised_sql="SELECT EXISTS (SELECT 1 FROM core_approval WHERE checker IS NOT NULL)",
        covers=("I30", "I39"),
    ),
]


def history_invariants(models: Sequence[type[StatefulModel]]) -> list[Invariant]:
    """Return what must hold of the histories of all these models, by the tables of their machines."""
    steps = ", ".join(
        f"('{model._meta.label_lower}', '{before}', '{after}')"
        for model in models
        for before, after in [("", model.machine.initial), *model.machine.edges]
    )
    starts = ", ".join(
        f"('{model._meta.label_lower}', '{'' if model.begins_in_history else model.machine.initial}')"
        for model in models
    )
    now = " UNION ALL ".join(
        f"SELECT '{model._meta.label_lower}' AS kind, id, {model.state_column} AS state"  # noqa: S608
        f" FROM {model._meta.db_table}"
        for model in models
    )
    exercised = "SELECT EXISTS (SELECT 1 FROM core_statuschange)"
    return [
        Invariant(
            name="history_follows_the_tables",
            says="Every step of a history is one that the table of its machine allows, from where it stood.",
            sql=f"""
                SELECT step.id, step.subject_type, step.from_state, step.to_state FROM (
                    SELECT change.id, subject_type, from_state, to_state,
                        coalesce(lag(to_state) OVER (PARTITION BY subject_type, subject_id
                            ORDER BY change.id), start.state) AS before
                    FROM core_statuschange AS change
                    LEFT JOIN (VALUES {starts}) AS start (kind, state) ON start.kind = subject_type
                ) AS step
                LEFT JOIN (VALUES {steps}) AS allowed (kind, before, after)
                    ON allowed.kind = step.subject_type
                    AND allowed.before = step.from_state AND allowed.after = step.to_state
                WHERE allowed.kind IS NULL OR step.before IS DISTINCT FROM step.from_state
            """,  # noqa: S608
            exercised_sql=exercised,
            covers=("I23",),
            nightly=True,
        ),
        Invariant(
            name="state_is_last_history",
            says="Whatever has a history stands where its history ends.",
            sql=f"""
                SELECT row.kind, row.id, row.state, last.to_state FROM ({now}) AS row
                JOIN (
                    SELECT DISTINCT ON (subject_type, subject_id) subject_type, subject_id, to_state
                    FROM core_statuschange ORDER BY subject_type, subject_id, id DESC
                ) AS last ON last.subject_type = row.kind AND last.subject_id = row.id
                WHERE last.to_state <> row.state
            """,  # noqa: S608
            exercised_sql=exercised,
            covers=("I24",),
            nightly=True,
        ),
    ]
