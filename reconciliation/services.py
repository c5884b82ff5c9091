"""The only way to change what reconciliation knows."""

from reconciliation.ingest.failures import replay_file
from reconciliation.ingest.receive import receive_file
from reconciliation.ingest.release import (
    reject_statement_release,
    release_statement,
    request_statement_release,
)
from reconciliation.matching.healing import look_again
from reconciliation.matching.opening import Place, open_breaks, resolve_breaks
from reconciliation.matching.runs import queue_run, retry_run
from reconciliation.resolving.ageing import drop_lapsed_proposals, watch_overdue
from reconciliation.resolving.automatic import adjust_by_rule
from reconciliation.resolving.bulk import approve_many, propose_many
from reconciliation.resolving.desk import assign_break, comment_on_break, release_break
from reconciliation.resolving.proposing import (
    approve_adjustment,
    propose_adjustment,
    reject_adjustment,
    withdraw_adjustment,
)
from reconciliation.resolving.rematching import (
    approve_unmatching,
    reject_unmatching,
    request_unmatching,
)
from reconciliation.resolving.steps import adjust_what_waits
from reconciliation.resolving.taking_back import approve_reopening, reject_reopening, request_reopening

__all__ = [
    "Place",
    "adjust_by_rule",
    "adjust_what_waits",
    "approve_adjustment",
    "approve_many",
    "approve_reopening",
    "approve_unmatching",
    "assign_break",
    "comment_on_break",
    "drop_lapsed_proposals",
    "propose_adjustment",
    "propose_many",
    "reject_adjustment",
    "reject_reopening",
    "reject_unmatching",
    "release_break",
    "request_reopening",
    "request_unmatching",
    "watch_overdue",
    "withdraw_adjustment",
    "look_again",
    "open_breaks",
    "queue_run",
    "receive_file",
    "reject_statement_release",
    "release_statement",
    "replay_file",
    "request_statement_release",
    "resolve_breaks",
    "retry_run",
]
