"""What the lists of what every module shares give as files."""

from core.export_columns import actor_column, amount_column, column, columns, id_column

__all__ = [
    "ALERT_NOTICES",
    "APPROVALS",
    "AUDIT_RECORDS",
    "AUDIT_RUNS",
    "CASES",
    "DEAD_LETTERS",
    "JOB_RUNS",
    "SETTINGS",
    "STATUS_CHANGES",
]

ALERT_NOTICES = (
    column("created_at"),
    column("alert", "case.kind"),
    column("subject", "case.subject"),
    *columns("severity", "way", "told", "attempts", "sent_at"),
)
APPROVALS = (
    *columns("requested_at", "action", "subject", "status"),
    actor_column("asked_by", "maker"),
    actor_column("decided_by", "checker"),
    *columns("decided_at", "expires_at", "reason"),
    column("sha256", lambda row: bytes(row.digest).hex()),
)
CASES = (
    id_column("case", "case"),
    *columns("opened_at", "kind", "subject", "summary"),
    amount_column("value_at_risk", "value_minor"),
    *columns("currency", "status"),
    actor_column("owner"),
    *columns("due_at", "closed_at", "resolution"),
)
DEAD_LETTERS = (
    *columns("died_at", "queue", "subject", "error", "attempts", "status"),
    actor_column("decided_by"),
    *columns("decided_at", "reason"),
)
JOB_RUNS = columns("business_date", "job", "scope", "attempts", "started_at", "finished_at")
SETTINGS = (
    *columns("created_at", "name", "scope", "version"),
    column("value", lambda row: {"value": row.value}),
    column("effective_at"),
    actor_column("changed_by", "actor"),
    column("reason"),
)
AUDIT_RECORDS = (
    *columns("seq", "recorded_at"),
    actor_column("who", "actor"),
    *columns("action", "subject", "reason", "detail", "request_id"),
)
STATUS_CHANGES = (
    *columns("id", "recorded_at", "occurred_at", "subject_type", "subject_id", "from_state", "to_state"),
    actor_column("who", "actor"),
    column("reason"),
)
AUDIT_RUNS = columns("started_at", "finished_at", "is_clean", "is_full")
