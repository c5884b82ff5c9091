"""A store on Quittance: sells for two sellers in one payment, believes only signed webhooks, and misses none.

Start `make run`, then `python3 examples/store/store.py`: nothing but Python is needed. With PORT it listens
there until it is stopped. Elsewhere set QUITTANCE_URL, QUITTANCE_KEY, and WEBHOOK_URL, which leads here.
"""

import json
import os
import signal
import sys
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from quittance import call, catch_up, is_genuine, make

PORT = int(os.environ.get("PORT", "0"))
TYPES = ["payment.succeeded", "payment.failed"]
SECRETS: list[str] = []
TOLD: dict[str, str] = {}  # A store's own database: the ids of events that were handled, and their orders.
LOCK = threading.Lock()  # And its unique index, in the transaction of whatever an event makes the store do.


def handle(event: Any, way: str = "feed") -> None:
    """Act on an event once, however often it comes, and by whichever way."""
    if event["type"] in TYPES:
        order = event["data"]["object"]["payment_order_id"]
        with LOCK:
            is_new = event["id"] not in TOLD
            TOLD[event["id"]] = order
            print(way, event["type"], order, "" if is_new else "again", flush=True)


class Webhooks(BaseHTTPRequestHandler):
    """Webhooks come at least once and in any order; each says what was true when it happened."""

    def do_POST(self) -> None:
        """Answer at once; what takes longer belongs into a queue."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        genuine = any(is_genuine(secret, self.headers, body) for secret in SECRETS)
        if genuine:
            handle(json.loads(body), "webhook")
        else:
            print("webhook refused", flush=True)
        self.send_response(204 if genuine else 400)
        self.end_headers()


def listen() -> str:
    """Open our side, have us told there, and return the endpoint's id."""
    server = HTTPServer(("127.0.0.1", PORT), Webhooks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = os.environ.get("WEBHOOK_URL") or f"http://127.0.0.1:{server.server_port}/"
    endpoint = make("/v1/webhook_endpoints", {"url": url, "event_types": TYPES}, key=str(uuid.uuid4()))
    SECRETS.append(endpoint["secret"])  # Shown this once: keep it where your other secrets are.
    return str(endpoint["id"])


def sell() -> set[str]:
    """Sell a book of Anna's and a bell of Bert's in one checkout; return our ids of the two orders."""
    for account in ("anna", "bert"):
        seller = {"seller_account": account, "name": account.title(), "country": "DE", "commission_bps": 500}
        status, answer = call("POST", "/v1/sellers", seller)
        print(account, "opened" if status == 201 else answer["error"]["code"])
    order = f"order-{uuid.uuid4()}"  # Your own id, stored before the call: it is the key as well.
    parts = [
        {"payment_order_id": f"{order}-{who}", "seller_account": who, "amount": amount, "currency": "EUR"}
        for who, amount in (("anna", "40.00"), ("bert", "2.50"))
    ]
    asked = {"checkout_id": order, "credit_card_info": {"token": "pm_card_visa"}, "payment_orders": parts}
    make("/v1/payments", asked, key=order)
    return {part["payment_order_id"] for part in parts}


def main() -> None:
    """Sell, wait until both orders have ended, look at the wallets; stopped or done, leave no endpoint."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    after = catch_up("", handle)  # First what happened while we were off. A store keeps its place.
    endpoint = listen()
    try:
        sold = sell()
        while not sold <= set(TOLD.values()):
            time.sleep(1)
            after = catch_up(after, handle)  # The safety net: webhooks are quick, the feed is complete.
        for who in ("anna", "bert"):
            for wallet in call("GET", f"/v1/sellers/{who}/wallets")[1]["data"]:
                with LOCK:
                    print(who, wallet["pending"], wallet["currency"], "pending", flush=True)
        while PORT:
            time.sleep(60)
            after = catch_up(after, handle)
    finally:
        call("DELETE", f"/v1/webhook_endpoints/{endpoint}")


if __name__ == "__main__":
    main()
