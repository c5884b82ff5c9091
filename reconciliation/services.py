"""The only way to change what reconciliation knows."""

from reconciliation.banking.watch import watch_source
from reconciliation.ingest.again import read_file_again
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
from reconciliation.sources.fetching import fetch_day, fetch_due
from reconciliation.sources.setting_up import change_source, create_source, set_source_enabled
from reconciliation.sources.watching import watch_files

__all__ = [
    "Place",
    "change_source",
    "create_source",
    "fetch_day",
    "fetch_due",
    "look_again",
    "open_breaks",
    "queue_run",
    "read_file_again",
    "receive_file",
    "reject_statement_release",
    "release_statement",
    "replay_file",
    "request_statement_release",
    "resolve_breaks",
    "retry_run",
    "set_source_enabled",
    "watch_files",
    "watch_source",
]
