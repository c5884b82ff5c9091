"""The one shape of every error, and the one place where exceptions become answers."""

from http import HTTPStatus
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.signals import got_request_exception
from django.db import InterfaceError, InternalError, OperationalError
from django.http import Http404, HttpResponse, UnreadablePostError
from rest_framework import exceptions as drf
from rest_framework.renderers import JSONRenderer

from core import errors, request_context
from core.api import errors as api_errors
from core.errors import DomainError
from core.transactions import sqlstate

__all__ = ["JSON", "as_domain_error", "error_response", "exception_handler"]

JSON = "application/json"
log = structlog.get_logger(__name__)

# program_limit_exceeded: the statement itself was impossible, so trying again is no cure.
_NOT_TEMPORARY = ("54",)
# The server ended our transaction because it stood still or lasted: psycopg files that under InternalError.
_TOOK_TOO_LONG = ("25P03", "25P04")


def exception_handler(exc: Exception, context: dict[str, Any]) -> HttpResponse:
    """Answer any exception that a view lets out; the last resort is a logged 500."""
    error = as_domain_error(exc)
    if error is None:
        request = context.get("request")
        log.error("unhandled exception in a view", exc_info=exc)
        got_request_exception.send(sender=None, request=getattr(request, "_request", request))
        error = api_errors.InternalError()
    elif error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("answered 500", code=error.code, exc_info=exc)
        error = api_errors.InternalError()
    elif error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        log.warning("answered 503", cause=type(exc).__name__, sqlstate=sqlstate(exc))
    response = error_response(error)
    if isinstance(exc, drf.MethodNotAllowed) and (view := context.get("view")) is not None:
        response.headers["Allow"] = ", ".join(view.allowed_methods)
    return response


def error_response(error: DomainError) -> HttpResponse:
    """Return the JSON answer of one error, with the headers its status asks for."""
    body = {
        "error": {
            "type": error.type,
            "code": error.code,
            "message": error.message,
            "param": error.param,
            "doc_url": f"{settings.PUBLIC_URL}/docs/errors#{error.code}",
            "request_id": request_context.request_id(),
        }
    }
    response = HttpResponse(JSONRenderer().render(body), status=error.status, content_type=JSON)
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def as_domain_error(exc: BaseException) -> DomainError | None:
    """Return the catalogue's error for an exception, or None if the exception is a defect of ours."""
    if isinstance(exc, DomainError):
        return exc
    if isinstance(exc, drf.APIException):
        return _from_drf(exc)
    if isinstance(exc, OperationalError | InterfaceError):
        is_temporary = (sqlstate(exc) or "")[:2] not in _NOT_TEMPORARY
        return errors.TemporarilyUnavailable() if is_temporary else None
    if isinstance(exc, InternalError) and sqlstate(exc) in _TOOK_TOO_LONG:
        return errors.TemporarilyUnavailable()
    if isinstance(exc, Http404):
        return errors.NotFound()
    if isinstance(exc, PermissionDenied):
        return errors.PermissionDenied()
    if isinstance(exc, RequestDataTooBig):
        return api_errors.BodyTooLarge()
    if isinstance(exc, SuspiciousOperation | BadRequest | UnreadablePostError):
        return api_errors.MalformedRequest()
    return None


def _from_drf(exc: drf.APIException) -> DomainError | None:
    for kind, error in _DRF.items():
        if isinstance(exc, kind):
            return error()
    if isinstance(exc, drf.Throttled):
        return api_errors.RateLimited(retry_after=int(getattr(exc, "wait", None) or 0) + 1)
    return None


_DRF: dict[type[drf.APIException], type[DomainError]] = {
    drf.NotAuthenticated: api_errors.AuthenticationFailed,
    drf.AuthenticationFailed: api_errors.AuthenticationFailed,
    drf.ParseError: api_errors.MalformedRequest,
    drf.PermissionDenied: errors.PermissionDenied,
    drf.NotFound: errors.NotFound,
    drf.MethodNotAllowed: api_errors.MethodNotAllowed,
    drf.NotAcceptable: api_errors.NotAcceptable,
    drf.UnsupportedMediaType: api_errors.UnsupportedMediaType,
    drf.ValidationError: api_errors.InvalidField,
}
