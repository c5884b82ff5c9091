"""A store's request on a raw socket, so that the test decides when the line ends."""

import json
import socket
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from tests.faults.shop import Payment, Shop

__all__ = ["drip", "exchange", "send_and_keep"]


def send_and_keep(shop: Shop, payment: Payment, *, first_bytes: int | None = None) -> socket.socket:
    """Send the request, or its head and the first bytes of its body, and do not read the answer."""
    place = urlsplit(shop.stack.web_url)
    body = json.dumps(payment.body).encode()
    head = (
        f"POST /v1/payments HTTP/1.1\r\nHost: {place.netloc}\r\nAuthorization: Bearer {shop.secret}\r\n"
        f"Idempotency-Key: {payment.key}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    line = socket.create_connection((place.hostname or "", place.port or 0), timeout=10)
    line.sendall(head.encode() + body[:first_bytes])
    return line


def exchange(stack_url: str, raw: bytes) -> bytes:
    """Send these bytes; return everything that comes back until the server closes the line."""
    place = urlsplit(stack_url)
    with socket.create_connection((place.hostname or "", place.port or 0), timeout=30) as line:
        got = b""
        # A server that has read enough to refuse may close while the rest is still being sent.
        with suppress(ConnectionError):
            line.sendall(raw)
        with suppress(ConnectionError):
            while part := line.recv(65536):
                got += part
    return got


def drip(stack_url: str, path: str, *, length: int, key: str = "", every: float = 0.2) -> bytes:
    """Announce a body and send it byte by byte for as long as anybody listens; return the answer."""
    place = urlsplit(stack_url)
    line = socket.create_connection((place.hostname or "", place.port or 0), timeout=30)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {place.netloc}\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {key}\r\nIdempotency-Key: slow\r\nConnection: close\r\n"
        f"Content-Length: {length}\r\n\r\n"
    )
    line.sendall(head.encode())
    answered = threading.Event()

    def send() -> None:
        with suppress(OSError):
            for _ in range(length):
                line.sendall(b" ")
                if answered.wait(every):
                    return

    sender = threading.Thread(target=send)
    sender.start()
    got = b""
    try:
        # The head may come alone, and a server that cuts us off may not wait for our last byte.
        with suppress(ConnectionError):
            while part := line.recv(65536):
                answered.set()
                got += part
        return got
    finally:
        answered.set()
        sender.join()
        line.close()
