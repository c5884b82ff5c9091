"""Days of a merchant's books, closed by two people."""

from datetime import date
from uuid import UUID

from core import approvals
from ledger.services import close_period, request_closing
from ledger.types import PeriodData

__all__ = ["close", "consent"]

MAKER, CHECKER = "user:maker", "user:checker"


def consent(merchant_id: UUID, through: date) -> UUID:
    """Ask for the closing of all days up to one, and let the second person say yes; commit both."""

    @approvals.at_decision_edge
    def ask() -> UUID:
        return request_closing(
            merchant_id=merchant_id, through=through, maker=MAKER, reason="the day is reconciled"
        )

    @approvals.at_decision_edge
    def decide(approval_id: UUID) -> None:
        approvals.approve(
            approval_id=approval_id,
            checker=CHECKER,
            instruction_now={"merchant": str(merchant_id), "through": through.isoformat()},
        )

    approval_id = ask()
    decide(approval_id)
    return approval_id


def close(merchant_id: UUID, through: date) -> PeriodData:
    """Close all days up to one, with the consent, in a transaction of its own."""
    consent(merchant_id, through)

    @approvals.at_decision_edge
    def act() -> PeriodData:
        return close_period(merchant_id=merchant_id, through=through, actor=MAKER)

    return act()
