"""What can go wrong on the line to a provider, and what a caller gets wrong about channels."""

from core.api.errors import MalformedRequest, SignatureInvalid
from core.errors import DomainError

__all__ = [
    "ChannelExists",
    "InvalidChannel",
    "LineClosed",
    "MalformedRequest",
    "NoAnswer",
    "NotSent",
    "SignatureInvalid",
    "UnsupportedAmount",
    "UnsupportedProvider",
]


class InvalidChannel(DomainError):
    code = "invalid_channel"
    status = 422
    message = "The channel cannot be set up like this."


class ChannelExists(DomainError):
    code = "channel_exists"
    status = 409
    message = "There is a channel of this name; names are unique in the installation."


class UnsupportedProvider(DomainError):
    code = "unsupported_provider"
    status = 422
    message = "There is no adapter for this provider."


class NotSent(Exception):
    """Provably nothing of the request left this machine."""


class LineClosed(NotSent):
    """We did not try: the channel is switched off, or its breaker is open. `retry_after` is in seconds."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class NoAnswer(Exception):
    """The request may have arrived, and what came back, if anything, cannot be trusted."""


class UnsupportedAmount(ValueError):
    """The provider cannot take, or cannot have meant, this amount. `code` is one of our decline codes."""

    def __init__(self, message: str, *, code: str) -> None:
        self.code = code
        super().__init__(message)
