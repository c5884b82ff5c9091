"""How wallets refuse."""

from core.errors import DomainError

__all__ = ["InsufficientFunds"]


class InsufficientFunds(DomainError):
    code = "insufficient_funds"
    status = 422
    message = "The wallet does not hold enough."
