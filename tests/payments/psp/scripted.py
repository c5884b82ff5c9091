"""A provider that plays a script: one raw function per connection, for answers no HTTP server would give."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["ScriptedProvider", "answer", "intent", "json_answer"]

Script = Callable[[socket.socket, "Request"], None]


@dataclass
class Request:
    """One request as it was read from the wire."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class ScriptedProvider:
    """Listens on loopback; the n-th request gets the n-th script, the last one again and again."""

    scripts: list[Script] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def play(self, *scripts: Script) -> None:
        self.scripts, self.requests = list(scripts), []

    def close(self) -> None:
        # close() alone does not wake the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as reader:
                while request := _read(reader):
                    self.requests.append(request)
                    script = self.scripts[min(len(self.requests), len(self.scripts)) - 1]
                    script(connection, request)
        except OSError:
            return  # The other side left, as some scripts want it to.


def _read(reader: object) -> Request | None:
    first = reader.readline().decode().split()
    if len(first) != 3:
        return None
    headers = {}
    while line := reader.readline().strip():
        name, _, value = line.decode().partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[0], first[1], headers, reader.read(int(headers.get("content-length", 0))))


def answer(
    status: int,
    body: bytes,
    *,
    kind: str = "application/json",
    headers: dict[str, str] | None = None,
    length: int | None = None,
    after: float = 0.0,
) -> Script:
    """An HTTP answer; `length` may lie about the body."""

    def script(connection: socket.socket, request: Request) -> None:
        time.sleep(after)
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body) if length is None else length}"]
        lines += [f"Content-Type: {kind}"] if kind else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        if length is not None:
            connection.shutdown(socket.SHUT_RDWR)

    return script


def json_answer(status: int, value: object, **options: object) -> Script:
    return answer(status, json.dumps(value).encode(), **options)


def error(status: int, *, kind: str = "invalid_request_error", **options: object) -> Script:
    """An error in Stripe's shape."""
    headers = options.pop("headers", None)
    return json_answer(status, {"error": {"type": kind, "message": "no", **options}}, headers=headers)


def reset(connection: socket.socket, request: Request) -> None:
    """A TCP reset instead of an answer."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def hang_up(connection: socket.socket, request: Request) -> None:
    """An orderly end instead of an answer."""
    connection.shutdown(socket.SHUT_RDWR)


def silence(connection: socket.socket, request: Request) -> None:
    """Nothing, until the other side has enough."""
    connection.recv(1)


def drip(piece: bytes, *, before: bytes = b"", pause: float = 0.05) -> Script:
    """A piece again and again, always sooner than any single wait would give up."""

    def script(connection: socket.socket, request: Request) -> None:
        connection.sendall(before)
        while True:
            connection.sendall(piece)
            time.sleep(pause)

    return script


def intent(status: str = "requires_payment_method", **changes: object) -> dict[str, object]:
    """As much of a PaymentIntent as the adapter reads."""
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "status": status,
        "amount": 1000,
        "amount_capturable": 0,
        "amount_received": 1000 if status == "succeeded" else 0,
        "currency": "usd",
        "metadata": {"charge_id": "chg_1"},
        "next_action": None,
        "last_payment_error": None,
        "latest_charge": "ch_1" if status == "succeeded" else None,
        "client_secret": "pi_1_secret_do_not_keep",
        **changes,
    }
