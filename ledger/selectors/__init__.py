"""How others read the books."""

from ledger.selectors.balances import account_lines, balance_minor, trial_balance
from ledger.selectors.entries import correction_draft

__all__ = ["account_lines", "balance_minor", "correction_draft", "trial_balance"]
