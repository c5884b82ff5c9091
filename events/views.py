"""Where providers deliver: read the raw bytes, verify, store, answer. Nothing else happens here."""

from http import HTTPStatus

from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.views.decorators.csrf import csrf_exempt

from channels.services import verify_webhook
from core.api.envelope import as_domain_error, error_response
from core.api.errors import BodyTooLarge, MalformedRequest, MethodNotAllowed, RateLimited
from core.api.slow_bodies import read_in_time
from core.client_address import client_address
from core.errors import DomainError
from core.failpoints import failpoint
from core.transactions import at_edge
from events.rejections import count_rejection
from events.services import receive_webhook

__all__ = ["MAX_BYTES", "provider_webhook"]

MAX_BYTES = 256 * 1024


@csrf_exempt
def provider_webhook(request: HttpRequest, channel: str) -> HttpResponse:
    """Take one delivery of a provider. 200 once it is stored, and for an event that is known already."""
    try:
        return _take(request, channel)
    except DomainError as error:
        return error_response(error)
    except (DatabaseError, InterfaceError) as error:
        temporary = as_domain_error(error)
        if temporary is None:
            raise
        return error_response(temporary)


def _take(request: HttpRequest, channel: str) -> HttpResponse:
    if request.method != "POST":
        raise MethodNotAllowed()
    raw = _body(request)
    headers = dict(request.headers)
    try:
        delivery = verify_webhook(channel_name=channel, raw=raw, headers=headers)
        is_new = at_edge(receive_webhook)(delivery=delivery, raw=raw, headers=headers)
    except DomainError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        wait = count_rejection(channel=channel, source=client_address(request), code=error.code)
        if wait is not None:
            raise RateLimited(retry_after=wait) from None
        raise
    if is_new:
        failpoint("inbox.stored")
    return HttpResponse(b"", status=HTTPStatus.OK)


def _body(request: HttpRequest) -> bytes:
    """Return the bytes as they came. The declared length is judged before anything is read.

    A body whose length is not declared may never end, so it is refused like one that is too large.
    """
    declared = request.META.get("CONTENT_LENGTH") or ""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise BodyTooLarge("Declare the length of the body.")
    if not (declared.isascii() and declared.isdigit()):
        raise MalformedRequest("Content-Length is not a number.")
    if int(declared[:20]) > MAX_BYTES:
        raise BodyTooLarge(f"The body is larger than {MAX_BYTES // 1024} KiB.")
    try:
        with read_in_time(request.META):
            raw = request.read(MAX_BYTES + 1)
    except UnreadablePostError:
        raise MalformedRequest("The body ended early.") from None
    if len(raw) != int(declared):
        raise MalformedRequest("The body ended early.")
    return bytes(raw)
