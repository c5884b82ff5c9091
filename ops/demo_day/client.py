"""HTTP as a careful store does it: one connection a thread, the same request again until it is answered."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

PATIENCE = 120.0
PAUSE = 0.2
TRY_AGAIN = (429, 502, 503, 504)


class Refused(Exception):
    """The other side said no, and would say so again."""

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{method} {path} answered {status}: {body[:400].decode(errors='replace')}")
        self.status = status


class Client:
    """One server. What may be repeated is repeated: a GET, and whatever carries a key.

    Without `keep_alive` each request has a connection of its own, for what may not be repeated.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        stop: threading.Event | None = None,
        keep_alive: bool = True,
    ) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "", parts.port
        self.headers = {"Content-Type": "application/json", **(headers or {})}
        self._own = threading.local()
        self._stop = stop or threading.Event()
        # A connection that the other side has closed meanwhile is found out by a request that was lost on it.
        self._keep_alive = keep_alive

    def get(self, path: str) -> Any:
        """Return what a GET answers. Raises Refused for anything but a 2xx."""
        return self.call("GET", path)

    def post(self, path: str, body: Mapping[str, Any], *, key: str = "") -> Any:
        """Return what a POST answers; with a key it is sent until it is answered. Raises Refused, OSError."""
        return self.call("POST", path, body, key=key)

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None, *, key: str = "") -> Any:
        """Make one call, as often as it takes. Raises Refused, and OSError when nobody answered in time."""
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        data = None if body is None else json.dumps(body).encode()
        may_repeat = method == "GET" or bool(key)
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                status, pause, answer = self._once(method, path, data, headers)
            except (OSError, http.client.HTTPException) as error:
                self._drop()
                if not may_repeat or self._stop.is_set() or time.monotonic() > deadline:
                    raise OSError(f"{method} {path}: {error}") from error
                time.sleep(PAUSE)
                continue
            finally:
                if not self._keep_alive:
                    self._drop()
            if status < 300:
                return json.loads(answer) if answer else None
            if status not in TRY_AGAIN or self._stop.is_set() or time.monotonic() > deadline:
                raise Refused(method, path, status, answer)
            time.sleep(pause)

    def _once(
        self, method: str, path: str, data: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, float, bytes]:
        connection = self._connection()
        connection.request(method, path, data, dict(headers))
        answer = connection.getresponse()
        body = answer.read()
        said = answer.headers.get("Retry-After", "")
        return answer.status, float(said) if said.isdigit() else PAUSE, body

    def _connection(self) -> http.client.HTTPConnection:
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is None:
            found = self._own.connection = http.client.HTTPConnection(self.host, self.port, timeout=30)
        return found

    def _drop(self) -> None:
        found: http.client.HTTPConnection | None = getattr(self._own, "connection", None)
        if found is not None:
            found.close()
        self._own.connection = None
