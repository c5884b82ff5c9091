"""A store's webhook endpoint: a real HTTP server that answers as it is told and remembers what it got."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Got", "Receiver", "receiving"]


@dataclass(frozen=True)
class Got:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: bytes
    client: tuple[str, int]

    @property
    def event_id(self) -> str:
        return self.headers["webhook-id"]


Behaviour = Callable[["Handler"], None]


@dataclass
class Receiver:
    """`behave` answers one request; it is given the handler, with the body already read."""

    port: int
    behave: Behaviour
    got: list[Got] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hooks"

    def wait_for(self, count: int, *, seconds: float = 10.0) -> list[Got]:
        """Return what arrived, once that many requests have."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.got) >= count, seconds), len(self.got)
            return list(self.got)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    receiver: Receiver
    # One segment per answer: the next request on the connection must not wait for a delayed ACK.
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        got = Got(self.path, headers, body, self.client_address)
        with self.receiver.arrived:
            self.receiver.got.append(got)
            self.receiver.arrived.notify_all()
        self.receiver.behave(self)

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer once; header names are written with underscores."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output quiet."""


def accept(handler: Handler) -> None:
    """Answer 200."""
    handler.answer(200, b"ok")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""

    def get_request(self) -> tuple[socket.socket, Any]:
        request, address = super().get_request()
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return request, address


@contextmanager
def receiving(
    behave: Behaviour = accept, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Receiver]:
    """Serve until the block ends."""
    handler = type("BoundHandler", (Handler,), {})
    server = _Server((host, 0), handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    handler.receiver = receiver = Receiver(server.server_address[1], behave)  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
