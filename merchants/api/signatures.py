"""What the headers of a request say about its signature; whether it is genuine is the service's to say."""

import base64
import re

from django.http import HttpRequest

from core.api.bodies import whole_body
from core.api.errors import MalformedRequest
from core.api.headers import single_header
from merchants.signing import signed_text
from merchants.types import SignedRequest

__all__ = ["HEADERS", "read_signature"]

# What each header may hold, and means. The longest signature is that of the largest RSA key we take.
HEADERS = {
    "Signature-Serial": (re.compile(r"[A-Za-z0-9_]{1,64}"), "Names the signing key of a signed request."),
    "Signature-Timestamp": (re.compile(r"[0-9]{1,12}"), "When it was signed, in seconds since 1970."),
    "Signature-Nonce": (re.compile(r"[A-Za-z0-9_-]{16,64}"), "Random; good for one request."),
    "Signature": (
        re.compile(r"(?:[A-Za-z0-9+/]{4}){1,400}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?"),
        "RSA-SHA256 over method, path with query, timestamp, nonce and the body's SHA-256, in Base64.",
    ),
}


def read_signature(request: HttpRequest) -> SignedRequest | None:
    """Return what the four headers say, or None if none of them is there. Raises MalformedRequest."""
    given = {name: single_header(request, name) for name in HEADERS}
    if all(value is None for value in given.values()):
        return None
    serial, timestamp, nonce, signature = (_checked(name, given[name]) for name in HEADERS)
    return SignedRequest(
        serial=serial,
        timestamp=int(timestamp),
        nonce=nonce,
        signature=base64.b64decode(signature),
        text=lambda: signed_text(
            method=request.META["REQUEST_METHOD"],
            target=_target(request),
            timestamp=timestamp,
            nonce=nonce,
            body=whole_body(request),
        ),
    )


def _checked(name: str, value: str | None) -> str:
    if value is None:
        raise MalformedRequest(f"A signed request has a {name} header too.")
    if not HEADERS[name][0].fullmatch(value):
        raise MalformedRequest(f"{name} is not well formed.")
    return value


def _target(request: HttpRequest) -> str:
    """The path and query as they were sent: what Django has decoded could have been sent in many ways."""
    raw = request.META.get("RAW_URI")
    if raw is None:
        return request.get_full_path()
    if raw.startswith("/"):
        return str(raw)
    # A client that talks to a proxy sends the whole address.
    _host, _slash, path = str(raw).partition("//")[2].partition("/")
    return f"/{path}"
