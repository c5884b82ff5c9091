"""How wallets refuse."""

from core.errors import DomainError

__all__ = [
    "AmountExceedsHold",
    "HoldCanceled",
    "HoldConflict",
    "HoldExpired",
    "HoldSettled",
    "HoldUnknown",
    "InsufficientFunds",
    "NothingOwed",
    "PointsNotValued",
    "PurposeUnsupported",
    "StatementTooLong",
]


class InsufficientFunds(DomainError):
    code = "insufficient_funds"
    status = 422
    message = "The wallet does not hold enough."


class HoldUnknown(DomainError):
    code = "hold_unknown"
    status = 404
    message = "Nothing is held for this purpose and subject."


class HoldConflict(DomainError):
    code = "hold_conflict"
    status = 409
    message = "There is a hold for this purpose and subject with other content."


class HoldCanceled(DomainError):
    code = "hold_canceled"
    status = 409
    message = "The hold was canceled; it can be neither made nor confirmed any more."


class HoldExpired(DomainError):
    code = "hold_expired"
    status = 409
    message = "The hold has run out of time."


class HoldSettled(DomainError):
    code = "hold_settled"
    status = 409
    message = "The hold was confirmed and cannot be canceled."


class AmountExceedsHold(DomainError):
    code = "amount_exceeds_hold"
    status = 422
    message = "A confirm takes more than nothing and at most what is held."


class PurposeUnsupported(DomainError):
    code = "purpose_unsupported"
    status = 422
    message = "A wallet of this owner and kind holds nothing for this purpose."


class PointsNotValued(DomainError):
    code = "points_not_valued"
    status = 422
    message = "Nobody has set what points are worth in this currency."


class StatementTooLong(DomainError):
    code = "statement_too_long"
    status = 422
    message = "The statement has more than 10,000 lines. Ask for a shorter time."


class NothingOwed(DomainError):
    code = "nothing_owed"
    status = 409
    message = "The seller owes nothing in this wallet, or not any more."
