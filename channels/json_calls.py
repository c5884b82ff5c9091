"""One JSON request to somebody who is no payment provider: one deadline, no second try, no redirect."""

import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.conf import settings

from channels.client_transport import Recording, Transport, current_recording
from channels.errors import NoAnswer, NotSent
from core.transactions import forbids_transaction

__all__ = ["JsonAnswer", "call_json"]


@dataclass(frozen=True)
class JsonAnswer:
    """What came back. `status` is None when no complete JSON answer came, and `error` says why."""

    status: int | None
    data: Any
    error: str = ""


@forbids_transaction
def call_json(
    *,
    method: str,
    url: str,
    bearer: str,
    seconds: float,
    body: Mapping[str, Any] | None = None,
    key: str = "",
) -> JsonAnswer:
    """Send one request and read its JSON answer within so many seconds; never raises for the other side.

    `key` becomes the Idempotency-Key: whoever calls stores it before, so that asking again is the same
    question. Plain http is for addresses that the caller has judged.
    """
    headers = {"Authorization": f"Bearer {bearer}", "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    if key:
        headers["Idempotency-Key"] = key
    content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    token = current_recording.set(Recording(ends=time.monotonic() + seconds, request_id=""))
    try:
        answer, status, _ = _transport().request_with_retries(method, url, headers, content)
        return JsonAnswer(status=status, data=json.loads(answer))
    except (NotSent, NoAnswer, ValueError) as error:
        return JsonAnswer(status=None, data=None, error=f"{type(error).__name__}: {error}"[:300])
    finally:
        current_recording.reset(token)


@cache
def _transport() -> Transport:
    tls = ssl.create_default_context()
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return Transport(
        connect_timeout=settings.PSP_CONNECT_TIMEOUT,
        read_timeout=settings.PSP_READ_TIMEOUT,
        tls=tls,
        allow_plain=True,
    )


# A child must not write into its parent's connections.
os.register_at_fork(after_in_child=_transport.cache_clear)
