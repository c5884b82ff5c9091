"""What callers of this app may meet."""

from core.errors import DomainError

__all__ = [
    "DestinationAltered",
    "DestinationCoolingDown",
    "DestinationExists",
    "DestinationInvalid",
    "DestinationUnknown",
    "DestinationUnsupported",
    "DestinationUnverified",
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
