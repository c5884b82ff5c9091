"""How others read the books."""

from ledger.chart import CHART, CLEARING_ROLES
from ledger.selectors.balances import account_lines, balance_minor, trial_balance, trial_balance_report
from ledger.selectors.clearing import clearing_totals, open_clearing
from ledger.selectors.days import day_positions
from ledger.selectors.entries import correction_draft, entry_heads, get_entry, minor_at_role
from ledger.selectors.keyed import account_of, key_lines, open_keys
from ledger.selectors.movements import movement_totals
from ledger.selectors.periods import closed_periods, closed_through
from ledger.selectors.places import current_place, place_at
from ledger.selectors.seals import chain_root, sealing_lag
from ledger.selectors.statements import account_statement
from ledger.selectors.turnover import Asked, currencies_of, day_turnover, turnover_by_account, turnover_sum
from ledger.statements import entries_of_event, entry_lines

__all__ = [
    "CHART",
    "CLEARING_ROLES",
    "Asked",
    "account_lines",
    "account_of",
    "account_statement",
    "balance_minor",
    "chain_root",
    "clearing_totals",
    "closed_periods",
    "closed_through",
    "correction_draft",
    "currencies_of",
    "current_place",
    "day_positions",
    "day_turnover",
    "entries_of_event",
    "entry_heads",
    "entry_lines",
    "get_entry",
    "key_lines",
    "minor_at_role",
    "movement_totals",
    "open_clearing",
    "open_keys",
    "place_at",
    "sealing_lag",
    "trial_balance",
    "trial_balance_report",
    "turnover_by_account",
    "turnover_sum",
]
