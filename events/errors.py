"""What callers of this app, and its subscribers, may meet or raise."""

from core.errors import DomainError

__all__ = ["EndpointDisabled", "NotYet", "UrlNotAllowed"]


class UrlNotAllowed(DomainError):
    code = "url_not_allowed"
    status = 422
    message = "Webhooks go to public https addresses only, on port 443 or 8443."


class EndpointDisabled(DomainError):
    code = "endpoint_disabled"
    status = 409
    message = "A disabled endpoint stays disabled. Create a new one."


class NotYet(Exception):
    """Raised by a subscriber whose own row is not here yet: the event is parked and tried again."""
