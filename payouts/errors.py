"""What callers of pay-out may meet."""

from core.errors import DomainError

__all__ = [
    "DestinationCoolingDown",
    "DestinationCurrencyMismatch",
    "DestinationUnknown",
    "DestinationUnverified",
    "PayoutBelowMinimum",
    "PayoutBlocked",
    "PayoutChannelUnavailable",
    "PayoutDecided",
    "PayoutLimitExceeded",
    "PayoutNotCancelable",
    "SellerUnverified",
]


class SellerUnverified(DomainError):
    code = "seller_unverified"
    status = 422
    message = "The seller's identity is not verified, or not any more: nothing is paid out."


class DestinationUnknown(DomainError):
    code = "destination_unknown"
    status = 422
    message = "The seller has no such destination, or none for this currency."


class DestinationUnverified(DomainError):
    code = "destination_unverified"
    status = 422
    message = "Nobody has verified this destination yet, or it was rejected."


class DestinationCoolingDown(DomainError):
    code = "destination_cooling_down"
    status = 422
    message = "The destination is new. Nothing is paid out to it before its `usable_from`."


class DestinationCurrencyMismatch(DomainError):
    code = "destination_currency_mismatch"
    status = 422
    message = "The destination takes another currency."


class PayoutBelowMinimum(DomainError):
    code = "payout_below_minimum"
    status = 422
    message = "The amount is below the smallest payout."


class PayoutLimitExceeded(DomainError):
    code = "payout_limit_exceeded"
    status = 422
    message = "The amount is above what may leave for this seller, at once or in one day."


class PayoutBlocked(DomainError):
    code = "payout_blocked"
    status = 409
    message = "Payouts to this seller are stopped until somebody has looked at why."


class PayoutChannelUnavailable(DomainError):
    code = "payout_channel_unavailable"
    status = 422
    message = "No channel of the merchant pays out to this kind of destination in this currency."


class PayoutNotCancelable(DomainError):
    code = "payout_not_cancelable"
    status = 409
    message = "The payout was sent already, or is over."


class PayoutDecided(DomainError):
    code = "payout_decided"
    status = 409
    message = "The payout does not wait for a decision any more."
