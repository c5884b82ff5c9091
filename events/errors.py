"""What callers of this app, and its subscribers, may meet or raise."""

from core.errors import DomainError

__all__ = [
    "DeliveryCanceled",
    "EndpointDisabled",
    "NotYet",
    "TooManyEndpoints",
    "TooManySecrets",
    "UrlNotAllowed",
    "WebhookHandled",
]


class UrlNotAllowed(DomainError):
    code = "url_not_allowed"
    status = 422
    message = "Webhooks go to public https addresses only, on port 443 or 8443."


class EndpointDisabled(DomainError):
    code = "endpoint_disabled"
    status = 409
    message = "A disabled endpoint stays disabled. Create a new one."


class TooManyEndpoints(DomainError):
    code = "too_many_webhook_endpoints"
    status = 409
    message = "A merchant has at most 20 webhook endpoints. Delete one that is not needed."


class TooManySecrets(DomainError):
    code = "too_many_signing_secrets"
    status = 409
    message = "An endpoint has at most 5 signing secrets in use. Wait until one of them ends."


class DeliveryCanceled(DomainError):
    code = "delivery_canceled"
    status = 409
    message = "This delivery was canceled with its endpoint. Send the event to another endpoint."


class WebhookHandled(DomainError):
    code = "webhook_handled"
    status = 409
    message = "This webhook was handled meanwhile. Nothing is left to be done."


class NotYet(Exception):
    """Raised by a subscriber whose own row is not here yet: the event is parked and tried again."""
