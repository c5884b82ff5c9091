"""Answers for what never reaches a view: unknown paths, bad hosts, failures outside the API."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views import defaults
from django.views.decorators.csrf import csrf_exempt

from core import errors
from core.api import errors as api_errors
from core.api.envelope import error_response
from core.errors import DomainError

__all__ = ["bad_request", "not_found", "permission_denied", "server_error", "unknown_route"]


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 400."""
    page = defaults.bad_request(request, exception)
    return _answer(request, api_errors.MalformedRequest(), page)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 403."""
    page = defaults.permission_denied(request, exception)
    return _answer(request, errors.PermissionDenied(), page)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer 404."""
    page = defaults.page_not_found(request, exception)
    return _answer(request, errors.NotFound(), page)


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 500; Django has logged the exception, with the request's id."""
    return _answer(request, api_errors.InternalError(), defaults.server_error(request))


@csrf_exempt
def unknown_route(request: HttpRequest, **_path: Any) -> HttpResponse:
    """Answer 404 for any path under the API that no view claims, in every mode of the process."""
    return error_response(errors.NotFound())


def _answer(request: HttpRequest, error: DomainError, page: HttpResponse) -> HttpResponse:
    # People outside the API get a page, programs always get the envelope.
    wants_page = "text/html" in request.headers.get("Accept", "") and not request.path.startswith("/v1/")
    return page if wants_page else error_response(error)
