"""The rows of reconciliation: private to this app."""

from reconciliation.models.bank import BankLine, BankStatement
from reconciliation.models.days import DayClose, DayExcuse
from reconciliation.models.discrepancies import (
    Adjustment,
    BreakRule,
    Discrepancy,
    DiscrepancyNote,
    RuleDryRun,
)
from reconciliation.models.files import LineChange, SettlementFile, SettlementFilePart
from reconciliation.models.lines import LINE_BITS, SettlementLine
from reconciliation.models.matching import Match, MatchEnd, ReconciliationRun
from reconciliation.models.sources import SettlementSource

__all__ = [
    "LINE_BITS",
    "Adjustment",
    "BankLine",
    "BankStatement",
    "BreakRule",
    "DayClose",
    "DayExcuse",
    "Discrepancy",
    "DiscrepancyNote",
    "LineChange",
    "Match",
    "MatchEnd",
    "ReconciliationRun",
    "RuleDryRun",
    "SettlementFile",
    "SettlementFilePart",
    "SettlementLine",
    "SettlementSource",
]
