"""What callers of pay-out may meet."""

from core.errors import DomainError

__all__ = [
    "DestinationAltered",
    "DestinationCoolingDown",
    "DestinationCurrencyMismatch",
    "DestinationExists",
    "DestinationInvalid",
    "DestinationUnknown",
    "DestinationUnsupported",
    "DestinationUnverified",
    "PayoutBelowMinimum",
    "PayoutBlocked",
    "PayoutChannelUnavailable",
    "PayoutDecided",
    "PayoutLimitExceeded",
    "PayoutNotCancelable",
    "SellerUnverified",
    "TooManyDestinations",
]


class DestinationInvalid(DomainError):
    code = "destination_invalid"
    status = 422
    message = "This is no account that money can be sent to."


class DestinationUnsupported(DomainError):
    code = "destination_unsupported"
    status = 422
    message = "Accounts of this kind take no such currency in that country."


class DestinationExists(DomainError):
    code = "destination_exists"
    status = 409
    message = "The seller has this account as a destination in this currency already."


class TooManyDestinations(DomainError):
    code = "too_many_destinations"
    status = 409
    message = "The seller has as many destinations as a seller may have. Remove one first."


class DestinationUnknown(DomainError):
    code = "destination_unknown"
    status = 422
    message = "The seller has no such destination."


class DestinationUnverified(DomainError):
    code = "destination_unverified"
    status = 409
    message = "The destination is not verified yet, or was rejected. Nothing is sent there."


class DestinationCoolingDown(DomainError):
    code = "destination_cooling_down"
    status = 409
    message = "The destination is new: nothing is sent there before its usable_from."


class DestinationAltered(DomainError):
    """The stored account is not the one that was fingerprinted when it was added."""

    code = "destination_altered"
    status = 500
    message = "A stored account is not what it was when it was added. Nothing was sent."


class SellerUnverified(DomainError):
    code = "seller_unverified"
    status = 422
    message = "The seller's identity is not verified, or not any more: nothing is paid out."


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
