"""The rows of reconciliation: private to this app."""

from reconciliation.models.bank import BankLine, BankStatement
from reconciliation.models.files import LineChange, SettlementFile, SettlementFilePart
from reconciliation.models.lines import LINE_BITS, SettlementLine
from reconciliation.models.sources import SettlementSource

__all__ = [
    "LINE_BITS",
    "BankLine",
    "BankStatement",
    "LineChange",
    "SettlementFile",
    "SettlementFilePart",
    "SettlementLine",
    "SettlementSource",
]
