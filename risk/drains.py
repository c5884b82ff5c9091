"""The work of risk: questions to vendors that are due."""

from typing import ClassVar

from core.drain import Claim, Drain
from risk.checks import pursue_check, record_failure
from risk.models import RiskCheck

__all__ = ["CheckDrain"]


class CheckDrain(Drain):
    """Asks vendors, a few at a time: one that hangs holds its own thread only."""

    name: ClassVar[str] = "risk_checks"
    model = RiskCheck
    batch: ClassVar[int] = 16
    parallel: ClassVar[int] = 8

    def handle(self, claim: Claim) -> None:
        """Take one question a step further."""
        pursue_check(claim=claim)

    def failed(self, claim: Claim, error: Exception) -> None:
        """Try again later; bury the question when that has been too often."""
        super().failed(claim, error)
        record_failure(claim=claim, error=error)
