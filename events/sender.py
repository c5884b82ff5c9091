"""One signed POST to an endpoint: pinned to a judged address, bounded in time and size, never redirected."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException, HTTPResponse

from core.transactions import forbids_transaction
from events.errors import UrlNotAllowed
from events.resolver import NameUnknown, resolve
from events.sender_line import OutOfTime, TimedSocket
from events.targets import Target

__all__ = ["Answer", "Sender", "tls_context"]

TOTAL_SECONDS = 15.0
_CONNECT_SECONDS = 5.0
_READ_CAP = 64 * 1024
_EXCERPT = 1024
# Headers, and a body in small chunks, cost more than the body that is read.
_WIRE_CAP = 4 * _READ_CAP
_IDLE_SECONDS = 20.0
# Then the name is resolved and judged again.
_OLDEST_SECONDS = 60.0
_IDLE_PER_TARGET = 8


@dataclass(frozen=True)
class Answer:
    """What came of one POST. `status` is None when no answer came, and `error` says why.

    `excerpt` is the beginning of the body as text, empty where the target is not public: what a private
    address answers is not shown to the one who named it.
    """

    status: int | None
    error: str
    excerpt: str
    retry_after: str
    duration_ms: int


@dataclass
class _Connection:
    line: TimedSocket
    is_public: bool
    opened_at: float
    used_at: float


class Sender:
    """Sends, and keeps connections open for what follows to the same place. Safe to share by threads."""

    def __init__(self) -> None:
        self._idle: dict[Target, list[_Connection]] = {}
        self._lock = threading.Lock()

    @forbids_transaction
    def send(self, target: Target, *, body: bytes, headers: Mapping[str, str]) -> Answer:
        """POST the body; never raises for what the other side, the network or the name does."""
        started = time.monotonic()
        try:
            return self._exchange(target, body, headers, started)
        except (OSError, HTTPException, UrlNotAllowed, ValueError) as error:
            return Answer(None, _cause(error), "", "", _milliseconds(started))

    @forbids_transaction
    def close(self) -> None:
        """Close every idle connection."""
        with self._lock:
            idle, self._idle = self._idle, {}
        for connections in idle.values():
            for each in connections:
                each.line.hang_up()

    def _exchange(self, target: Target, body: bytes, headers: Mapping[str, str], started: float) -> Answer:
        kept = self._take(target)
        while kept is not None:
            try:
                return self._post(target, kept, body, headers, started)
            except OutOfTime:
                raise
            except (OSError, HTTPException):
                # The other side closed the idle connection. Sending again is safe: the receiver knows the
                # message by its id.
                kept = self._take(target)
        return self._post(target, _connect(target, started + TOTAL_SECONDS), body, headers, started)

    def _post(
        self, target: Target, held: _Connection, body: bytes, headers: Mapping[str, str], started: float
    ) -> Answer:
        reusable = False
        held.line.begin(started + TOTAL_SECONDS, _WIRE_CAP)
        try:
            held.line.sendall(_request(target, headers, body))
            response = HTTPResponse(held.line, method="POST")  # type: ignore[arg-type]
            response.begin()
            text, is_whole = _read(response)
            reusable = is_whole and not response.will_close
            return Answer(
                response.status,
                "" if 200 <= response.status < 300 else f"answered {response.status}",
                _plain(text) if held.is_public else "",
                response.headers.get("Retry-After", "")[:64],
                _milliseconds(started),
            )
        finally:
            if reusable:
                self._keep(target, held)
            else:
                held.line.hang_up()

    def _take(self, target: Target) -> _Connection | None:
        now = time.monotonic()
        with self._lock:
            while idle := self._idle.get(target):
                found = idle.pop()
                if now - found.used_at < _IDLE_SECONDS and now - found.opened_at < _OLDEST_SECONDS:
                    return found
                found.line.hang_up()
        return None

    def _keep(self, target: Target, held: _Connection) -> None:
        held.used_at = time.monotonic()
        with self._lock:
            idle = self._idle.setdefault(target, [])
            if len(idle) < _IDLE_PER_TARGET:
                idle.append(held)
                return
        held.line.hang_up()


@cache
def tls_context() -> ssl.SSLContext:
    """Return the one context of all connections: certificate and host name are verified, TLS 1.2 or later."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _connect(target: Target, deadline: float) -> _Connection:
    """Connect to the first address that answers, of those that one resolution gave and the rules allow."""
    problem: OSError = NameUnknown(target.host)
    for address, is_public in resolve(target):
        left = deadline - time.monotonic()
        if left <= 0:
            raise OutOfTime("no connection in time")
        try:
            line = _open(target, address, min(left, _CONNECT_SECONDS))
        except OSError as error:
            problem = error
            continue
        timed, now = TimedSocket(line), time.monotonic()
        return _Connection(timed, is_public, opened_at=now, used_at=now)
    raise problem


def _open(target: Target, address: str, seconds: float) -> socket.socket:
    line = socket.create_connection((address, target.port), timeout=seconds)
    try:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if target.scheme == "https":
            return tls_context().wrap_socket(line, server_hostname=target.host)
    except BaseException:
        line.close()
        raise
    return line


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the whole request, so that it leaves in one piece; every value is ours or was judged."""
    lines = {
        "host": target.host_header,
        "content-length": str(len(body)),
        "accept-encoding": "identity",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _read(response: HTTPResponse) -> tuple[bytes, bool]:
    """Return the beginning of the body and whether that was all of it; a cut body does not undo a status."""
    try:
        return response.read(_READ_CAP), response.isclosed()
    except (OSError, HTTPException):
        return b"", False


def _plain(text: bytes) -> str:
    shown = text[:_EXCERPT].decode("utf-8", errors="replace")
    return "".join(char if char.isprintable() or char in "\n\t" else "\ufffd" for char in shown)


def _cause(error: Exception) -> str:
    if isinstance(error, UrlNotAllowed):
        return "url_not_allowed"
    return f"{type(error).__name__}: {error}".replace("\x00", "")[:200]


def _milliseconds(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
