"""The only way to change what reconciliation knows."""

from reconciliation.ingest.again import read_file_again
from reconciliation.ingest.failures import replay_file
from reconciliation.ingest.receive import receive_file
from reconciliation.ingest.release import (
    reject_statement_release,
    release_statement,
    request_statement_release,
)
from reconciliation.sources.fetching import fetch_day, fetch_due
from reconciliation.sources.setting_up import change_source, create_source, set_source_enabled
from reconciliation.sources.watching import watch_files

__all__ = [
    "change_source",
    "create_source",
    "fetch_day",
    "fetch_due",
    "read_file_again",
    "receive_file",
    "reject_statement_release",
    "release_statement",
    "replay_file",
    "request_statement_release",
    "set_source_enabled",
    "watch_files",
]
