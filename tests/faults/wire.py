"""A store's request on a raw socket, so that the test decides when the line ends."""

import json
import socket
from urllib.parse import urlsplit

from tests.faults.shop import Payment, Shop

__all__ = ["send_and_keep"]


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
