"""What a request may get wrong before any business rule is asked."""

from typing import Any

from core.errors import DomainError

__all__ = [
    "AuthenticationFailed",
    "BodyTooLarge",
    "InternalError",
    "InvalidField",
    "InvalidParameter",
    "InvalidString",
    "MalformedRequest",
    "MethodNotAllowed",
    "MissingField",
    "NotAcceptable",
    "Overloaded",
    "RateLimited",
    "SignatureInvalid",
    "UnknownField",
    "UnknownParameter",
    "UnsupportedMediaType",
]


class MalformedRequest(DomainError):
    code = "malformed_request"
    status = 400
    message = "The request could not be read."


class UnknownParameter(DomainError):
    code = "unknown_parameter"
    status = 400
    message = "This endpoint has no such query parameter."


class InvalidParameter(DomainError):
    code = "invalid_parameter"
    status = 400
    message = "The query parameter's value is not valid."


class AuthenticationFailed(DomainError):
    code = "authentication_failed"
    status = 401
    message = "Send a valid API key as `Authorization: Bearer sk_…`."


class SignatureInvalid(DomainError):
    code = "signature_invalid"
    status = 401
    message = "The signature does not belong to this request and its key, or its time is not now."


class MethodNotAllowed(DomainError):
    code = "method_not_allowed"
    status = 405
    message = "This URL does not answer that method."


class NotAcceptable(DomainError):
    code = "not_acceptable"
    status = 406
    message = "Answers are application/json only."


class BodyTooLarge(DomainError):
    code = "body_too_large"
    status = 413
    message = "The body is larger than 1 MiB."


class UnsupportedMediaType(DomainError):
    code = "unsupported_media_type"
    status = 415
    message = "Send application/json in UTF-8, without a content encoding."


class UnknownField(DomainError):
    code = "unknown_field"
    status = 422
    message = "This object has no such field."


class MissingField(DomainError):
    code = "missing_field"
    status = 422
    message = "The field is required."


class InvalidField(DomainError):
    code = "invalid_field"
    status = 422
    message = "The field's value is not valid."


class InvalidString(DomainError):
    code = "invalid_string"
    status = 422
    message = "Strings may not hold control characters or lone surrogates."


class RateLimited(DomainError):
    code = "rate_limited"
    status = 429
    message = "Too many requests. Wait and try again."


class Overloaded(DomainError):
    code = "overloaded"
    status = 429
    message = "Too many requests are being served at once. Nothing was done: wait and try again."

    def __init__(self, message: str | None = None, **kwargs: Any) -> None:
        super().__init__(message, **({"retry_after": 1} | kwargs))


class InternalError(DomainError):
    code = "internal_error"
    status = 500
    message = "Something failed on our side and was logged. Try again with the same key."
