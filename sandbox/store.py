"""The store: receives the product's webhooks, checks them by Standard Webhooks, keeps what it got.

Signature: ``webhook-signature`` holds ``v1,<base64>`` entries separated by spaces, each HMAC-SHA256 over
``id.timestamp.body`` with the base64-decoded part of a ``whsec_…`` secret.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from sandbox.database import Database, dump
from sandbox.server import Request, Response, Wire
from sandbox.store_courier import Courier
from sandbox.store_orders import Orders
from sandbox.store_settings import StoreSettings
from sandbox.store_web import Shop

TOLERANCE = 300
MAX_SIGNATURES = 20
BEHAVIOURS = frozenset({"status", "slow", "redirect", "huge", "hang", "reset"})


class BehaviourError(ValueError):
    """The description of a behaviour is wrong."""


class Store:
    """The shop: its pages, its orders, and the receiver of the webhooks about them."""

    def __init__(
        self,
        database: Database,
        stopping: threading.Event,
        *,
        base_url: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._database, self._stopping, self._now = database, stopping, now
        self.settings = StoreSettings(database)
        self.orders = Orders(database, self.settings, base_url=base_url, stopping=stopping)
        self.courier = Courier(self.orders, stopping)
        self.shop = Shop(database, self.settings, self.orders)
        self._behaviours: list[dict[str, Any]] = []
        self._guard = threading.Lock()

    def add_secret(self, secret: str) -> None:
        """Trust webhooks signed with this ``whsec_…`` secret, besides those already trusted."""
        decode_secret(secret)
        self._database.execute("INSERT OR REPLACE INTO store_secret (secret) VALUES (?)", (secret,))

    def drop_secret(self, secret: str) -> None:
        """Trust this secret no longer."""
        self._database.execute("DELETE FROM store_secret WHERE secret = ?", (secret,))

    def behave(self, spec: dict[str, Any]) -> dict[str, Any]:
        """Answer the next ``times`` webhooks in a bad way; raises BehaviourError for an unknown way."""
        kind = spec.get("kind")
        if kind not in BEHAVIOURS:
            raise BehaviourError(f"kind must be one of {', '.join(sorted(BEHAVIOURS))}")
        behaviour = {
            "kind": kind,
            "times": int(spec.get("times", 1)),
            "status": int(spec.get("status", 500)),
            "seconds": float(spec.get("seconds", 2.0)),
            "location": str(spec.get("location", "/store/elsewhere")),
            "bytes": int(spec.get("bytes", 5_000_000)),
            "retry_after": spec.get("retry_after"),
        }
        with self._guard:
            self._behaviours.append(behaviour)
        return behaviour

    def clear(self) -> None:
        """Behave well again."""
        with self._guard:
            self._behaviours.clear()

    def receive(self, request: Request) -> Response:
        """``POST /store/webhooks``."""
        behaviour = self._next()
        if behaviour is not None and behaviour["kind"] == "slow":
            self._stopping.wait(behaviour["seconds"])
        reason = self._refusal(request)
        response = Response(
            204 if reason is None else 400, b"" if reason is None else dump({"error": reason}).encode()
        )
        if reason is None:
            self._read(request)
        if behaviour is not None:
            response = misbehave(response, behaviour)
        self._database.execute(
            "INSERT INTO store_webhook (at, webhook_id, timestamp, verified, reason, answered, headers, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                time.time(), request.headers.get("webhook-id"), request.headers.get("webhook-timestamp"),
                reason is None, reason, response.status, dump(request.headers), request.body,
            ),
        )  # fmt: skip
        return response

    def _read(self, request: Request) -> None:
        """A genuine webhook about one of our orders is a reason to ask the API about it, and no more."""
        text = request.body.decode("utf-8", "replace")
        try:
            event = json.loads(text)
            kind, number = str(event["type"]), str(event["data"]["object"]["checkout_id"])
        except (ValueError, TypeError, KeyError):  # not about an order, or of a kind that we do not know
            return
        self.orders.told(number, what=kind, webhook_id=request.headers["webhook-id"], body=text)
        self.courier.wake()

    def _next(self) -> dict[str, Any] | None:
        with self._guard:
            while self._behaviours and self._behaviours[0]["times"] <= 0:
                self._behaviours.pop(0)
            if not self._behaviours:
                return None
            self._behaviours[0]["times"] -= 1
            return self._behaviours[0]

    def _refusal(self, request: Request) -> str | None:
        secrets = [row["secret"] for row in self._database.rows("SELECT secret FROM store_secret")]
        return refusal(request.headers, request.body, secrets, now=self._now())

    def received(self, *, verified: bool | None = None) -> list[dict[str, Any]]:
        """Every webhook received, oldest first."""
        rows = self._database.rows("SELECT * FROM store_webhook ORDER BY seq")
        for row in rows:
            row["verified"] = bool(row["verified"])
            row["body"] = row["body"].decode("utf-8", "replace")
        return [row for row in rows if verified is None or row["verified"] == verified]


def decode_secret(secret: str) -> bytes:
    """The key bytes of a ``whsec_<base64>`` secret; raises BehaviourError when it is none."""
    try:
        if not secret.startswith("whsec_"):
            raise ValueError(secret)
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise BehaviourError("a secret is whsec_ and base64") from None


def refusal(headers: dict[str, str], body: bytes, secrets: list[str], *, now: float) -> str | None:
    """Why a webhook is not to be believed; ``None`` when it is genuine."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    signatures = headers.get("webhook-signature", "").split(" ")
    if not identifier or not timestamp or signatures == [""]:
        return "missing_header"
    if not timestamp.isdigit() or abs(now - int(timestamp)) > TOLERANCE:
        return "timestamp_out_of_range"
    content = f"{identifier}.{timestamp}.".encode() + body
    for secret in secrets:
        good = base64.b64encode(hmac.new(decode_secret(secret), content, hashlib.sha256).digest())
        for given in signatures[:MAX_SIGNATURES]:
            version, _, value = given.partition(",")
            if version == "v1" and hmac.compare_digest(value.encode(), good):
                return None
    return "bad_signature" if secrets else "no_secret_registered"


def misbehave(response: Response, behaviour: dict[str, Any]) -> Response:
    """The bad answer that a behaviour asks for."""
    kind = behaviour["kind"]
    if kind == "status":
        response = Response(behaviour["status"], b"")
        if behaviour["retry_after"] is not None:
            response.headers["Retry-After"] = str(behaviour["retry_after"])
    elif kind == "redirect":
        response = Response(302, b"", headers={"Location": behaviour["location"]})
    elif kind == "huge":
        response = Response(200, b"x" * behaviour["bytes"], content_type="text/plain")
    elif kind == "hang":
        response.wire = Wire("hang", behaviour["seconds"])
    elif kind == "reset":
        response.wire = Wire("reset")
    return response
