"""The only way to change what reconciliation knows."""

from reconciliation.banking.watch import watch_source
from reconciliation.closing.preparing import excuse_file, prepare_day, reopen_day
from reconciliation.closing.signing import sign_day
from reconciliation.ingest.again import read_file_again
from reconciliation.ingest.failures import replay_file
from reconciliation.ingest.receive import receive_file
from reconciliation.ingest.release import (
    reject_statement_release,
    release_statement,
    request_statement_release,
)
from reconciliation.internal.clearing import age_clearing
from reconciliation.matching.healing import look_again
from reconciliation.matching.opening import Place, open_breaks, resolve_breaks
from reconciliation.matching.runs import queue_run, retry_run
from reconciliation.resolving.ageing import drop_lapsed_proposals, watch_overdue
from reconciliation.resolving.automatic import adjust_by_rule
from reconciliation.resolving.bulk import approve_many, propose_many
from reconciliation.resolving.desk import assign_break, comment_on_break, release_break
from reconciliation.resolving.found_at_bank import prove_found_deposits
from reconciliation.resolving.proposing import (
    approve_adjustment,
    propose_adjustment,
    reject_adjustment,
    withdraw_adjustment,
)
from reconciliation.resolving.rematching import approve_unmatching, reject_unmatching, request_unmatching
from reconciliation.resolving.steps import adjust_what_waits
from reconciliation.resolving.taking_back import approve_reopening, reject_reopening, request_reopening
from reconciliation.rules.deciding import (
    approve_rule_change,
    reject_rule_change,
    request_activation,
    request_retirement,
)
from reconciliation.rules.drafting import draft_break_rule
from reconciliation.rules.dry_run import run_rule_over_history
from reconciliation.sources.fetching import fetch_day, fetch_due
from reconciliation.sources.setting_up import change_source, create_source, set_source_enabled
from reconciliation.sources.watching import watch_files

__all__ = [
    "Place",
    "adjust_by_rule",
    "adjust_what_waits",
    "age_clearing",
    "approve_adjustment",
    "approve_many",
    "approve_reopening",
    "approve_rule_change",
    "approve_unmatching",
    "assign_break",
    "change_source",
    "comment_on_break",
    "create_source",
    "draft_break_rule",
    "drop_lapsed_proposals",
    "excuse_file",
    "fetch_day",
    "fetch_due",
    "look_again",
    "open_breaks",
    "prepare_day",
    "propose_adjustment",
    "propose_many",
    "prove_found_deposits",
    "queue_run",
    "read_file_again",
    "receive_file",
    "reject_adjustment",
    "reject_reopening",
    "reject_rule_change",
    "reject_statement_release",
    "reject_unmatching",
    "release_break",
    "release_statement",
    "reopen_day",
    "replay_file",
    "request_activation",
    "request_reopening",
    "request_retirement",
    "request_statement_release",
    "request_unmatching",
    "resolve_breaks",
    "retry_run",
    "run_rule_over_history",
    "set_source_enabled",
    "sign_day",
    "watch_files",
    "watch_overdue",
    "watch_source",
    "withdraw_adjustment",
]
