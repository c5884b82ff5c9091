"""A payment system that answers what a test wants, for tests of the sandbox's store alone."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

STATES = {
    "processing": "EXECUTING",
    "requires_action": "REQUIRES_ACTION",
    "succeeded": "SUCCESS",
    "failed": "FAILED",
    "canceled": "CANCELED",
}


class Api:
    """Keeps checkouts by id and answers by key, as the contract says; `answers` come first, one a request."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []
        self.answers: list[tuple[int, dict[str, str]] | None] = []
        self.by_key: dict[str, tuple[int, Any]] = {}
        self.checkouts: dict[str, dict[str, Any]] = {}
        self.guard = threading.Lock()
        self.held: threading.Event | None = None
        self.becomes = "processing"
        self.next_action: dict[str, str] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self.answer("GET")

            def do_POST(self) -> None:
                self.answer("POST")

            def answer(self, method: str) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                given = outer.take(method, self.path, dict(self.headers.items()), body)
                if given is None:  # read, done perhaps, and no answer
                    self.close_connection = True
                    return
                status, headers, data = given
                raw = json.dumps(data).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], Any] | None:
        """Do what is asked and say what is to be answered; None: nothing, though it was done."""
        if method == "POST" and self.held is not None:
            self.held.wait(10)
        with self.guard:
            key = headers.get("Idempotency-Key", "")
            data = json.loads(body or b"{}")
            self.requests.append(
                {
                    "method": method,
                    "path": path,
                    "key": key,
                    "body": data,
                    "auth": headers.get("Authorization"),
                    "raw": body,
                }
            )
            if method == "GET":
                checkout = self.checkouts.get(path.rsplit("/", 1)[1])
                return (200, {}, checkout) if checkout else (404, {}, error("not_found"))
            wanted = self.answers.pop(0) if self.answers else (201, {})
            if wanted is not None and wanted[0] != 201:
                return wanted[0], wanted[1], error("overloaded" if wanted[0] >= 429 else "refused")
            if key not in self.by_key:
                self.by_key[key] = (201, self.do(path, data))
            status, answer = self.by_key[key]
            return (status, {}, answer) if wanted is not None else None

    def do(self, path: str, data: dict[str, Any]) -> dict[str, Any]:
        """Accept a checkout, begin an attempt, or cancel."""
        parts = path.split("/")
        if path == "/v1/payments":
            name = data["checkout_id"]
            self.checkouts[name] = checkout(data)
            self.turn(name, self.becomes, self.next_action)
        elif parts[-1] == "attempts":
            name = parts[-2]
            self.turn(name, self.becomes, self.next_action)
        else:
            name = parts[-2]
            self.turn(name, "canceled")
        return json.loads(json.dumps(self.checkouts[name]))

    def turn(self, name: str, status: str, next_action: dict[str, str] | None = None) -> None:
        """Let a checkout be in another state."""
        found = self.checkouts[name]
        found["status"], found["next_action"] = status, next_action
        found["is_final"] = status not in ("processing", "requires_action", "open", "in_review")
        for order in found["payment_orders"]:
            order["payment_order_status"] = STATES[status]
            order["failure"] = None
            if status == "failed":
                order["failure"] = {"code": "card_declined", "message": "The card was declined."}

    def posts(self, path: str = "/v1/payments") -> list[dict[str, Any]]:
        """The POSTs to one path."""
        with self.guard:
            return [each for each in self.requests if each["method"] == "POST" and each["path"] == path]


def error(code: str) -> dict[str, Any]:
    """The envelope of a refusal."""
    return {"error": {"type": "invalid_request_error", "code": code, "message": f"It is {code}."}}


def checkout(data: dict[str, Any]) -> dict[str, Any]:
    """A checkout object of a request."""
    return {
        "object": "checkout",
        "id": f"chk_{data['checkout_id'][-16:]}",
        "checkout_id": data["checkout_id"],
        "status": "open",
        "is_final": False,
        "payment_method": data.get("payment_method", "card"),
        "next_action": None,
        "payment_orders": [
            order
            | {
                "payment_order_status": "NOT_STARTED",
                "refunded": "0.00",
                "cancel_requested": False,
                "failure": None,
            }
            for order in data["payment_orders"]
        ],
    }
