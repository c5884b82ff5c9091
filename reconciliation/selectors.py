"""How others read files, lines and statements: what is being staged is seen by nobody."""

from reconciliation.ingest.reading import (
    find_bank_lines,
    find_lines,
    get_file,
    held_statements,
    list_changes,
    read_body,
    statements_of,
)

__all__ = [
    "find_bank_lines",
    "find_lines",
    "get_file",
    "held_statements",
    "list_changes",
    "read_body",
    "statements_of",
]
