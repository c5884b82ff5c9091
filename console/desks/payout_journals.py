"""The entries that a button leads to, line by line, as the books will have them (O1 to O6b)."""

from typing import Any

from django.utils.translation import gettext as _

from core.admin_display import amount
from payouts.selectors import PayoutAtDesk

__all__ = ["given_back", "returned", "sent"]


def sent(payout: PayoutAtDesk, rail: str) -> list[dict[str, Any]]:
    """O3: what is set aside leaves, the fee is ours."""
    return _lines(
        payout.currency,
        (_("Seller: held for payouts"), payout.amount_minor + payout.fee_minor),
        (_("Payouts in transit (%(rail)s)") % {"rail": rail}, -payout.amount_minor),
        (_("Payout fees"), -payout.fee_minor),
    )


def given_back(payout: PayoutAtDesk) -> list[dict[str, Any]]:
    """O2: nothing was sent, the seller has it again."""
    whole = payout.amount_minor + payout.fee_minor
    return _lines(payout.currency, (_("Seller: held for payouts"), whole), (_("Seller: available"), -whole))


def returned(amount_minor: int, fee_minor: int, currency: str) -> list[dict[str, Any]]:
    """O6b: what came back is the seller's, less the fee for it."""
    return _lines(
        currency,
        (_("Payouts that came back"), amount_minor),
        (_("Seller: available"), fee_minor - amount_minor),
        (_("Payout fees"), -fee_minor),
    )


def _lines(currency: str, *found: tuple[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "account": account,
            "debit": amount(minor, currency) if minor > 0 else "",
            "credit": amount(-minor, currency) if minor < 0 else "",
        }
        for account, minor in found
        if minor
    ]
