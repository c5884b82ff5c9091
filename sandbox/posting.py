"""How one webhook goes out: dressed, signed (or forged) and posted on a kept connection."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import re
from collections.abc import Callable
from urllib.parse import urlsplit


def signature(secret: str, body: bytes, timestamp: int) -> str:
    """The ``Stripe-Signature`` header: HMAC-SHA256 over timestamp, dot and raw body.

    The bank's ``X-Bank-Signature`` is its second part, ``v1=…``.
    """
    digest = hmac.new(secret.encode(), b"%d." % timestamp + body, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def of_bank(event: str) -> bool:
    """Whether an event is the bank's, by its id: it is signed in another way."""
    return event.startswith("bev_")


#: Lies that are told before signing: the signature is right, the content is not.
AMOUNT = re.compile(rb'"amount":"?')

REWRITES: dict[str, Callable[[bytes], bytes]] = {
    "not_json": lambda body: b"\xff\xfe not json",
    "livemode": lambda body: body.replace(b'"livemode":false', b'"livemode":true'),
    "unknown_type": lambda body: re.sub(rb'"type":"[a-z_.]+"}$', b'"type":"unicorn.born"}', body),
    "wrong_amount": lambda body: AMOUNT.sub(rb"\g<0>9", body, count=1),
}


def dress(
    body: bytes, forgery: str | None, secret: str, now: int, *, bank: bool = False
) -> tuple[bytes, dict[str, str]]:
    """Body and headers of one delivery; ``forgery`` says which lie is told."""
    if forgery == "bad_secret":
        secret = "whsec_forged"  # noqa: S105 - the point is that it is not the secret
    timestamp = now + {"old_timestamp": -3600, "future_timestamp": 3600}.get(forgery or "", 0)
    body = REWRITES[forgery](body) if forgery in REWRITES else body
    headers = {"Content-Type": "application/json; charset=utf-8", "User-Agent": "Sandbox/1.0"}
    if bank:
        headers["X-Bank-Timestamp"] = str(timestamp)
    if forgery != "no_signature":
        signed = signature(secret, body, timestamp)
        if bank:
            headers["X-Bank-Signature"] = signed.partition(",")[2]
        else:
            headers["Stripe-Signature"] = signed
    if forgery == "altered_body":
        body = AMOUNT.sub(rb"\g<0>9", body, count=1)
    return body, headers


def send(
    connections: dict[tuple[str, str], http.client.HTTPConnection], url: str, body: bytes,
    headers: dict[str, str], timeout: float,
) -> tuple[int | None, str | None]:  # fmt: skip
    """POST on a kept connection; one silent second try when the kept connection turns out to be dead."""
    parts = urlsplit(url)
    place = (parts.scheme, parts.netloc)
    path = parts.path + (f"?{parts.query}" if parts.query else "") or "/"
    for fresh in (False, True):
        connection = connections.get(place)
        kept = connection is not None
        if connection is None:
            kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
            connection = connections[place] = kind(parts.netloc, timeout=timeout)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            answer.read(65536)
            if answer.will_close or not answer.isclosed():
                connections.pop(place).close()
            return answer.status, None
        except (OSError, http.client.HTTPException) as error:
            with contextlib.suppress(KeyError):
                connections.pop(place).close()
            stale = isinstance(error, http.client.RemoteDisconnected | BrokenPipeError | ConnectionResetError)
            if not (kept and stale and not fresh):
                return None, f"{type(error).__name__}: {error}"
    return None, "no answer"
