"""How a request reaches a provider: one kept-alive connection a thread, one deadline for the whole call.

It is written on http.client instead of a general HTTP library for three properties that money needs. The
connection is opened before the request is written, so "nothing was sent" is known and not guessed from
the kind of an error. Every wait, for headers too, counts against one deadline, so that an answer dripping
in byte by byte ends. And no library below retries or follows a redirect on its own. Proxies of the
environment are not used.
"""

import hashlib
import io
import json
import select
import socket
import ssl
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any, BinaryIO, TypeVar
from urllib.parse import urlsplit

from django.conf import settings

from channels.errors import NoAnswer, NotSent
from core import clock
from core.transactions import forbids_transaction

__all__ = ["Attempt", "Body", "Recording", "Transport", "current_recording"]

A = TypeVar("A")

# Servers close idle connections; one that is older than this is not trusted with a payment.
_IDLE_SECONDS = 20.0
_LARGEST_ANSWER = 4 * 1024 * 1024
_PIECE = 256 * 1024


@dataclass
class Attempt:
    """One request on the wire, filled in as it goes. See channels.types.CallRecord."""

    at: datetime
    started: float
    digest: bytes
    bytes_sent: bool | None = False
    http_code: int | None = None
    body: bytes = b""
    psp_request_id: str = ""
    error: str = ""
    seconds: float = 0.0


@dataclass
class Recording:
    """One call: its deadline (on the monotonic clock) and its attempts, whatever comes of them."""

    ends: float
    request_id: str
    attempts: list[Attempt] = field(default_factory=list)

    def left(self) -> float:
        """Return the seconds left. Raises TimeoutError when there are none."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("the deadline of the call has passed")
        return left


@dataclass
class Body:
    """Where the bytes of a download go, how many there may be, and what came."""

    to: BinaryIO
    largest: int
    size: int = 0
    sha256: str = ""


current_recording: ContextVar[Recording] = ContextVar("current_recording")


class _BoundedReader(io.RawIOBase):
    """Reads from a socket; each wait is as long as the deadline still allows, and no longer."""

    def __init__(self, sock: socket.socket, recording: Recording, longest: float) -> None:
        self._wire, self._recording, self._longest = sock, recording, longest
        self._raw = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._wire.settimeout(min(self._recording.left(), self._longest))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _BoundedSocket:
    """What http.client's response wants of a socket: a file to read."""

    def __init__(self, sock: socket.socket, recording: Recording, longest: float) -> None:
        self._reader = _BoundedReader(sock, recording, longest)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader)


class _Kept:
    """An open connection of one thread; it closes with the thread, or when the client is replaced."""

    def __init__(self, line: HTTPConnection, place: tuple[str, str, int | None]) -> None:
        self.line, self.place = line, place
        self.used_at = time.monotonic()
        # Not __del__: an SDK client that is let go is a circle of objects, of which the collector may take
        # the socket first. What a finalizer holds is in no circle.
        weakref.finalize(self, line.close).atexit = False

    def still_open(self) -> bool:
        """Say whether a request may be trusted to this connection."""
        if self.line.sock is None or time.monotonic() - self.used_at > _IDLE_SECONDS:
            return False
        # Between two requests nothing may come in: what does is the other side's goodbye.
        poll = select.poll()
        poll.register(self.line.sock, select.POLLIN)
        return not poll.poll(0)


class Transport:
    """An HTTP client in the shape that the provider's SDK wants. Safe to share between threads."""

    name = "quittance"

    def __init__(
        self, *, connect_timeout: float, read_timeout: float, tls: ssl.SSLContext, allow_plain: bool
    ) -> None:
        self._connect_timeout, self._read_timeout = connect_timeout, read_timeout
        self._tls, self._allow_plain = tls, allow_plain
        self._local = threading.local()

    @classmethod
    def for_line(cls, *, tls: ssl.SSLContext, allow_plain: bool) -> "Transport":
        """Return a transport with the time-outs of calls to providers."""
        return cls(
            connect_timeout=settings.PSP_CONNECT_TIMEOUT,
            read_timeout=settings.PSP_READ_TIMEOUT,
            tls=tls,
            allow_plain=allow_plain,
        )

    @forbids_transaction
    def request_with_retries(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        post_data: str | bytes | None = None,
        max_network_retries: int | None = None,
        *,
        _usage: list[str] | None = None,
    ) -> tuple[bytes, int, Mapping[str, str]]:
        """Send one request once; return body, status and headers (in lower case).

        Whatever the SDK asks for, nothing is sent twice. Raises NotSent when nothing left this machine,
        NoAnswer when the request may have arrived and no complete JSON answer came back in time.
        """
        body = post_data.encode() if isinstance(post_data, str) else post_data or b""
        return self._attempt(method, url, headers, body, _read)

    @forbids_transaction
    def download(self, url: str, headers: Mapping[str, str], body: Body) -> int:
        """Get what is at an address, whatever it is, into `body`; return the status.

        Only what comes with 200 is written. Raises NotSent, NoAnswer: also for a body that is cut off or
        larger than it may be.
        """

        def read(response: HTTPResponse, attempt: Attempt) -> int:
            return _write(response, attempt, body)

        return self._attempt("GET", url, headers, b"", read)

    def _attempt(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        read: Callable[[HTTPResponse, Attempt], A],
    ) -> A:
        recording = current_recording.get()
        digest = hashlib.sha256(b"\n".join([method.encode(), url.encode(), body])).digest()
        attempt = Attempt(at=clock.now(), started=time.monotonic(), digest=digest)
        recording.attempts.append(attempt)
        try:
            return self._exchange(recording, attempt, method, url, headers, body, read)
        except (NotSent, NoAnswer) as error:
            attempt.error = str(error)
            raise
        finally:
            attempt.seconds = time.monotonic() - attempt.started

    def _exchange(
        self,
        recording: Recording,
        attempt: Attempt,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        read: Callable[[HTTPResponse, Attempt], A],
    ) -> A:
        parts = urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        sent_headers = {**headers, **({"X-Request-Id": recording.request_id} if recording.request_id else {})}
        try:
            line = self._line(recording, parts.scheme, parts.hostname or "", parts.port)
        except (OSError, HTTPException, UnicodeError) as error:
            raise NotSent(f"no connection: {describe(error)}") from error
        keep = False
        try:
            attempt.bytes_sent = None
            line.sock.settimeout(min(recording.left(), self._read_timeout))
            line.request(method.upper(), target, body=body, headers=sent_headers)
            attempt.bytes_sent = True
            line.response_class = self._bounded(recording)
            with line.getresponse() as response:
                answer = read(response, attempt)
                keep = not response.will_close
            return answer
        except (OSError, HTTPException, ValueError) as error:
            raise NoAnswer(describe(error)) from error
        finally:
            if keep:
                self._local.kept.used_at = time.monotonic()
            else:
                self._drop()

    def _bounded(self, recording: Recording) -> Any:
        def response(sock: socket.socket, *, method: str | None = None) -> HTTPResponse:
            bounded: Any = _BoundedSocket(sock, recording, self._read_timeout)
            return HTTPResponse(bounded, method=method)

        return response

    def _line(self, recording: Recording, scheme: str, host: str, port: int | None) -> HTTPConnection:
        """Return an open connection to the host: the thread's own if it still stands, else a new one."""
        kept: _Kept | None = getattr(self._local, "kept", None)
        place = (scheme, host, port)
        if kept is not None and kept.place == place and kept.still_open():
            return kept.line
        self._drop()
        timeout = min(recording.left(), self._connect_timeout)
        line: HTTPConnection
        if scheme == "https":
            line = HTTPSConnection(host, port, timeout=timeout, context=self._tls)
        elif scheme == "http" and self._allow_plain:
            line = HTTPConnection(host, port, timeout=timeout)
        else:
            raise OSError(f"{scheme}:// is not allowed here")
        # Never a second connection behind our back: a request is written to the one that was opened here.
        line.auto_open = 0
        try:
            line.connect()
        except BaseException:
            line.close()
            raise
        self._local.kept = _Kept(line, place)
        return line

    def _drop(self) -> None:
        kept: _Kept | None = getattr(self._local, "kept", None)
        self._local.kept = None
        if kept is not None:
            kept.line.close()

    def close(self) -> None:
        """Close this thread's connection."""
        self._drop()


def _read(response: HTTPResponse, attempt: Attempt) -> tuple[bytes, int, Mapping[str, str]]:
    attempt.http_code = response.status
    headers = {name.lower(): value for name, value in response.getheaders()}
    attempt.psp_request_id = headers.get("request-id", "")[:64]
    try:
        content = response.read(_LARGEST_ANSWER + 1)
    except IncompleteRead as error:
        attempt.body = error.partial
        raise
    attempt.body = content
    if len(content) > _LARGEST_ANSWER:
        raise NoAnswer("the answer is too long")
    if response.length:
        raise NoAnswer(f"the answer is cut off, {response.length} bytes are missing")
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise NoAnswer(f"status {response.status} with content of type {kind[:60] or 'none'}")
    return content, response.status, headers


def _write(response: HTTPResponse, attempt: Attempt, body: Body) -> int:
    """Write a body in pieces; the evidence is its digest and size, not the body."""
    attempt.http_code = response.status
    attempt.psp_request_id = (response.headers.get("request-id") or "")[:64]
    if response.status != 200:
        attempt.body = response.read(_PIECE)
        return response.status
    hashed = hashlib.sha256()
    while piece := response.read(_PIECE):
        body.size += len(piece)
        if body.size > body.largest:
            raise NoAnswer("the file is larger than a file may be")
        hashed.update(piece)
        body.to.write(piece)
    if response.length:
        raise NoAnswer(f"the file is cut off, {response.length} bytes are missing")
    body.sha256 = hashed.hexdigest()
    attempt.body = json.dumps({"sha256": body.sha256, "bytes": body.size}).encode()
    return response.status


def describe(error: BaseException) -> str:
    """Return the error's kind and words, in one line."""
    return f"{type(error).__name__}: {error}".replace("\n", " ")
