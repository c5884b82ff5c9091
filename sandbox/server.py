"""A small threaded HTTP/1.1 server on raw sockets.

Faults need what frameworks hide: to answer nothing, to reset the connection after reading the body, to send
bytes slowly, and to close the listening socket so that a connect is refused. It also costs little: about
0.1 ms of CPU a request, which matters because the sandbox shares its machine with the system under test.
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus

MAX_HEAD = 64 * 1024
MAX_BODY = 16 * 1024 * 1024  # a file of payment orders is large
IDLE_SECONDS = 75.0
MAX_CONNECTIONS = 512
REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One HTTP request, body read completely. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    keep_alive: bool


@dataclass(slots=True)
class Wire:
    """How to misbehave on the socket instead of sending the response as it is.

    ``hang``: send nothing until the client leaves or ``seconds`` pass. ``reset``: RST. ``drip``: spread the
    bytes over ``seconds``. ``truncate``: announce the whole length, send half of the body and close.
    """

    kind: str
    seconds: float = 0.0


@dataclass(slots=True)
class Response:
    """One HTTP response."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    wire: Wire | None = None

    def encode(self, *, keep_alive: bool) -> bytes:
        """The bytes of head and body."""
        lines = [
            f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Unknown')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
        ]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if not keep_alive:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + self.body


class BadRequest(Exception):
    """The bytes received are not a request this server reads; ``status`` is the answer."""

    def __init__(self, status: int) -> None:
        super().__init__(REASONS[status])
        self.status = status


Handler = Callable[[Request], Response]


class Listener:
    """One listening port with its connections; can be closed and opened again while the process lives."""

    def __init__(self, *, host: str, port: int, handler: Handler, pool: ThreadPoolExecutor) -> None:
        self.host, self.port, self.handler, self._pool = host, port, handler, pool
        self._socket: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._stopping = threading.Event()

    @property
    def is_open(self) -> bool:
        """Whether a connect is accepted now."""
        return self._socket is not None

    def open(self) -> None:
        """Bind and accept. Port 0 takes a free port, kept for later openings."""
        with self._guard:
            if self._socket is not None:
                return
            listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind((self.host, self.port))
            listening.listen(512)
            self.port = listening.getsockname()[1]
            self._socket = listening
        threading.Thread(target=self._accept, args=(listening,), name="accept", daemon=True).start()

    def close(self, *, keep: socket.socket | None = None) -> None:
        """Stop listening and drop every connection: from now on a connect is refused."""
        with self._guard:
            listening, self._socket = self._socket, None
            connections = [sock for sock in self._connections if sock is not keep]
        if listening is not None:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)  # wakes the thread blocked in accept()
            listening.close()
        for sock in connections:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Close for good; silent connections end at once."""
        self._stopping.set()
        self.close()

    def _accept(self, listening: socket.socket) -> None:
        while True:
            try:
                sock, _ = listening.accept()
            except OSError:  # the socket was closed by close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._guard:
                self._connections.add(sock)
            try:
                self._pool.submit(self._serve, sock)
            except RuntimeError:  # the pool is shut down: the process is ending
                sock.close()
                return

    def _serve(self, sock: socket.socket) -> None:
        try:
            sock.settimeout(IDLE_SECONDS)
            buffer = bytearray()
            while not self._stopping.is_set():
                try:
                    request = read_request(sock, buffer)
                except BadRequest as error:
                    sock.sendall(Response(error.status, content_type="text/plain").encode(keep_alive=False))
                    return
                if request is None:
                    return
                response = self.handler(request)
                if response.wire is not None:
                    self._misbehave(sock, response)
                    return
                sock.sendall(response.encode(keep_alive=request.keep_alive))
                if not request.keep_alive:
                    return
        except OSError:  # the client left or the listener was closed: nobody is there to be told
            return
        finally:
            with self._guard:
                self._connections.discard(sock)
            sock.close()

    def _misbehave(self, sock: socket.socket, response: Response) -> None:
        wire = response.wire
        if wire is None:
            return
        data = response.encode(keep_alive=False)
        if wire.kind == "hang":
            wait_for_close(sock, wire.seconds)
        elif wire.kind == "reset":
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif wire.kind == "truncate":
            sock.sendall(data[: len(data) - (len(response.body) + 1) // 2])
        elif wire.kind == "drip":
            pieces = [data[at : at + 64] for at in range(0, len(data), 64)]
            for piece in pieces:
                sock.sendall(piece)
                self._stopping.wait(wire.seconds / len(pieces))


def wait_for_close(sock: socket.socket, seconds: float) -> None:
    """Sleep until the peer closes the connection or ``seconds`` have passed."""
    readable, _, _ = select.select([sock], [], [], seconds)
    if readable:
        with contextlib.suppress(OSError):
            sock.recv(1)


def read_request(sock: socket.socket, buffer: bytearray) -> Request | None:
    """Read one request; ``None`` when the client closed. Surplus bytes stay in ``buffer``."""
    while (end := buffer.find(b"\r\n\r\n")) < 0:
        if len(buffer) > MAX_HEAD:
            raise BadRequest(431)
        data = sock.recv(65536)
        if not data:
            return None
        buffer += data
    lines = buffer[:end].decode("latin-1").split("\r\n")
    try:
        method, target, version = lines[0].split(" ")
    except ValueError:
        raise BadRequest(400) from None
    headers: dict[str, str] = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise BadRequest(400) from None
    if not 0 <= length <= MAX_BODY:
        raise BadRequest(413)
    start = end + 4
    while len(buffer) < start + length:
        data = sock.recv(65536)
        if not data:
            return None
        buffer += data
    body = bytes(buffer[start : start + length])
    del buffer[: start + length]
    path, _, query = target.partition("?")
    keep_alive = version == "HTTP/1.1" and headers.get("connection", "").lower() != "close"
    return Request(method, path, query, headers, body, keep_alive)
