"""How others read sources, files, lines and statements: what is being staged is seen by nobody."""

from reconciliation.banking.position import bank_position
from reconciliation.banking.watch import bank_sources
from reconciliation.ingest.reading import (
    find_bank_lines,
    find_lines,
    get_file,
    held_statements,
    list_changes,
    read_body,
    statements_of,
)
from reconciliation.matching.healing import sources_to_watch
from reconciliation.matching.reading import (
    breaks_of_run,
    explain_line,
    get_break,
    matches_of_lines,
    open_breaks_of,
)
from reconciliation.sources.at_desk import sources_at_desk
from reconciliation.sources.reading import find_source, get_source, list_sources

__all__ = [
    "bank_position",
    "bank_sources",
    "breaks_of_run",
    "explain_line",
    "find_bank_lines",
    "find_lines",
    "find_source",
    "get_break",
    "get_file",
    "get_source",
    "held_statements",
    "list_changes",
    "list_sources",
    "matches_of_lines",
    "open_breaks_of",
    "read_body",
    "sources_at_desk",
    "sources_to_watch",
    "statements_of",
]
