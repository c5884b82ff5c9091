"""How others read sources, files, lines and statements: what is being staged is seen by nobody."""

from reconciliation.ingest.reading import (
    find_bank_lines,
    find_lines,
    get_file,
    held_statements,
    list_changes,
    read_body,
    statements_of,
)
from reconciliation.sources.at_desk import sources_at_desk
from reconciliation.sources.reading import find_source, get_source, list_sources

__all__ = [
    "find_bank_lines",
    "find_lines",
    "find_source",
    "get_file",
    "get_source",
    "held_statements",
    "list_changes",
    "list_sources",
    "read_body",
    "sources_at_desk",
    "statements_of",
]
