"""The only way to change what reconciliation knows."""

from reconciliation.ingest.again import read_file_again
from reconciliation.ingest.failures import replay_file
from reconciliation.ingest.receive import receive_file
from reconciliation.ingest.release import (
    reject_statement_release,
    release_statement,
    request_statement_release,
)

__all__ = [
    "read_file_again",
    "receive_file",
    "reject_statement_release",
    "release_statement",
    "replay_file",
    "request_statement_release",
]
