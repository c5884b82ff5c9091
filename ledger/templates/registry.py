"""Every journal of the books, in the order in which finance reads them."""

from ledger.templates.examples.adjustments import ADJUSTMENTS
from ledger.templates.examples.buyers import WALLETS
from ledger.templates.examples.pay_in import BANK, CASH, PAY_IN
from ledger.templates.examples.returns import DISPUTES, REFUNDS
from ledger.templates.examples.sellers import FX, PAYOUTS, RESERVES
from ledger.templates.journal import Journal

__all__ = ["JOURNALS", "THEMES", "journals_of"]

THEMES: dict[str, tuple[Journal, ...]] = {
    "Pay-in and settlement": PAY_IN,
    "Bank statements": BANK,
    "Refunds": REFUNDS,
    "Chargebacks": DISPUTES,
    "Payouts": PAYOUTS,
    "Reserves and seller debt": RESERVES,
    "Wallets": WALLETS,
    "Conversions": FX,
    "Cash on delivery": CASH,
    "Reconciliation adjustments": ADJUSTMENTS,
}
JOURNALS: dict[str, Journal] = {journal.id: journal for theme in THEMES.values() for journal in theme}


def journals_of(kind: str) -> tuple[Journal, ...]:
    """Return the journals that entries of a kind belong to: usually one; some are variants (P4a, P4b)."""
    return tuple(journal for journal in JOURNALS.values() if journal.kind == kind)
