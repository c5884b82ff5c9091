"""How others read sources, files, lines and statements: what is being staged is seen by nobody."""

from reconciliation.banking.position import bank_position
from reconciliation.banking.watch import bank_sources
from reconciliation.closing.reading import day_at_desk, days_at_desk, find_day, next_day
from reconciliation.closing.report import Section, Table, report_sections
from reconciliation.closing.report_csv import report_csv
from reconciliation.closing.report_pdf import report_pdf
from reconciliation.desk.by_rule import breaks_by_rule
from reconciliation.desk.candidates import candidate_lines, candidate_movements
from reconciliation.desk.evidence import break_behind, file_behind, lines_of_subjects, statement_behind
from reconciliation.desk.finding import find_breaks
from reconciliation.desk.line_page import line_at_desk, unmatchings_of
from reconciliation.desk.movements import movements_of_break
from reconciliation.desk.previews import changed_since, choices_for, preview_adjustment
from reconciliation.desk.proofs import bank_proofs, proofs_of
from reconciliation.desk.rules_page import rule_at_desk
from reconciliation.desk.runs import run_at_desk, runs_at_desk
from reconciliation.ingest.reading import (
    find_bank_lines,
    find_lines,
    get_file,
    held_statements,
    list_changes,
    read_body,
    statements_of,
)
from reconciliation.internal.checks import Check, internal_checks
from reconciliation.internal.clearing import Late, late_keys
from reconciliation.matching.healing import sources_to_watch
from reconciliation.matching.reading import (
    breaks_of_run,
    explain_line,
    get_break,
    matches_of_lines,
    open_breaks_of,
)
from reconciliation.resolving.ageing import ageing
from reconciliation.resolving.automatic import waiting_for_rules
from reconciliation.resolving.bulk import MOST as BULK_MOST
from reconciliation.resolving.meanings import MEANINGS
from reconciliation.resolving.proposing import ACTION as PROPOSAL_ACTION
from reconciliation.resolving.reading import QUEUES, break_at_desk, breaks_at_desk, preview
from reconciliation.resolving.templates import TEMPLATES as ADJUSTMENT_TEMPLATES
from reconciliation.rules.conditions import CONDITIONS as RULE_CONDITIONS
from reconciliation.rules.deciding import rules_at_desk
from reconciliation.sources.at_desk import sources_at_desk
from reconciliation.sources.reading import find_source, get_source, list_sources

__all__ = [
    "ADJUSTMENT_TEMPLATES",
    "BULK_MOST",
    "MEANINGS",
    "PROPOSAL_ACTION",
    "QUEUES",
    "RULE_CONDITIONS",
    "Check",
    "Late",
    "Section",
    "Table",
    "ageing",
    "bank_position",
    "bank_proofs",
    "bank_sources",
    "break_at_desk",
    "break_behind",
    "breaks_at_desk",
    "breaks_by_rule",
    "breaks_of_run",
    "candidate_lines",
    "candidate_movements",
    "changed_since",
    "choices_for",
    "day_at_desk",
    "days_at_desk",
    "explain_line",
    "file_behind",
    "find_bank_lines",
    "find_breaks",
    "find_day",
    "find_lines",
    "find_source",
    "get_break",
    "get_file",
    "get_source",
    "held_statements",
    "internal_checks",
    "late_keys",
    "line_at_desk",
    "lines_of_subjects",
    "list_changes",
    "list_sources",
    "matches_of_lines",
    "movements_of_break",
    "next_day",
    "open_breaks_of",
    "preview",
    "preview_adjustment",
    "proofs_of",
    "read_body",
    "report_csv",
    "report_pdf",
    "report_sections",
    "rule_at_desk",
    "rules_at_desk",
    "run_at_desk",
    "runs_at_desk",
    "sources_at_desk",
    "sources_to_watch",
    "statement_behind",
    "statements_of",
    "unmatchings_of",
    "waiting_for_rules",
]
