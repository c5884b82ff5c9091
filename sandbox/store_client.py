"""How a store calls the payment system: with a key per deed, again under the same key, never twice.

A POST that got no answer may have been done or not. Sent again under the same ``Idempotency-Key`` it is done
at most once, and answered with the same bytes; so the client repeats it without a second thought.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CONNECTING = 3.0
LONGEST_PAUSE = 5.0
#: Busy, overloaded, or broken in between: the same request may be sent again.
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class Unreachable(Exception):
    """No trustworthy answer in time. What was sent may have been done: send it again under the same key."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final answer: 2xx, or a 4xx that will be the same next time."""

    status: int
    body: dict[str, Any]

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    @property
    def code(self) -> str:
        """The stable code of a refusal."""
        error = self.body.get("error")
        return str(error.get("code", "")) if isinstance(error, dict) else ""

    @property
    def message(self) -> str:
        """What the refusal says."""
        error = self.body.get("error")
        return (
            str(error.get("message", ""))
            if isinstance(error, dict)
            else f"The answer was HTTP {self.status}."
        )


@dataclass(frozen=True, slots=True)
class Call:
    """One request as it went over the wire, for the developer view. ``status`` 0: no answer."""

    method: str
    path: str
    key: str
    request: str
    status: int
    response: str
    milliseconds: int


class Client:
    """One account at the payment system."""

    def __init__(self, api_url: str, api_key: str, *, stopping: threading.Event) -> None:
        self._url, self._api_key, self._stopping = urlsplit(api_url), api_key, stopping

    def post(
        self, path: str, body: str, *, key: str, patience: float, record: Callable[[Call], None]
    ) -> Answer:
        """Send until there is a final answer; raises Unreachable after ``patience`` seconds."""
        deadline = time.monotonic() + patience
        pause = 0.2
        while True:
            status, wanted_pause, answer = self._once("POST", path, body, key, deadline, record)
            if status and status not in TRY_AGAIN:
                return answer
            pause = min(max(pause * 2, wanted_pause), LONGEST_PAUSE)
            if time.monotonic() + pause > deadline or self._stopping.wait(pause):
                raise Unreachable

    def get(self, path: str, *, patience: float, record: Callable[[Call], None]) -> Answer:
        """Read; raises Unreachable when there is no answer, or none that can be used."""
        status, _, answer = self._once("GET", path, "", "", time.monotonic() + patience, record)
        if not status or status in TRY_AGAIN:
            raise Unreachable
        return answer

    def _once(
        self, method: str, path: str, body: str, key: str, deadline: float, record: Callable[[Call], None]
    ) -> tuple[int, float, Answer]:
        """One try: the status (0 without an answer), the pause that was asked for, the answer."""
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept": "application/json"}
        if method == "POST":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        started = time.monotonic()
        status, text, pause = 0, "", 0.0
        connection = self._connect(max(0.5, min(CONNECTING, deadline - started)))
        try:
            connection.connect()
            connection.sock.settimeout(max(0.5, deadline - started))
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
            status, pause = response.status, _seconds(response.getheader("Retry-After"))
        except (OSError, http.client.HTTPException) as error:
            text = f"no answer: {type(error).__name__}"
        finally:
            connection.close()
        took = round((time.monotonic() - started) * 1000)
        record(Call(method, path, key, body, status, text, took))
        return status, pause, Answer(status, _object(text))

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        return kind(self._url.hostname or "", self._url.port, timeout=timeout)


def _seconds(header: str | None) -> float:
    return float(header) if header and header.isdigit() else 0.0


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
