"""The only way to change what reconciliation knows."""

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
from reconciliation.sources.fetching import fetch_day, fetch_due
from reconciliation.sources.setting_up import change_source, create_source, set_source_enabled
from reconciliation.sources.watching import watch_files

__all__ = [
    "Place",
    "age_clearing",
    "change_source",
    "create_source",
    "excuse_file",
    "fetch_day",
    "fetch_due",
    "look_again",
    "open_breaks",
    "prepare_day",
    "queue_run",
    "read_file_again",
    "receive_file",
    "reject_statement_release",
    "release_statement",
    "reopen_day",
    "replay_file",
    "request_statement_release",
    "resolve_breaks",
    "retry_run",
    "set_source_enabled",
    "sign_day",
    "watch_files",
]
