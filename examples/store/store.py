"""A store on Quittance: opens two sellers, takes one payment for both, and believes only signed webhooks.

Start `make run`, then `python3 examples/store/store.py`: nothing but Python is needed. For another system set
QUITTANCE_URL and QUITTANCE_KEY. With WEBHOOK_SECRET, and the PORT that an endpoint leads to, it also listens.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
import uuid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

FACTS = json.loads(Path("var/dev.json").read_text()) if "QUITTANCE_URL" not in os.environ else {}
URL, KEY = (os.environ.get(f"QUITTANCE_{name}") or FACTS[f"api_{name.lower()}"] for name in ("URL", "KEY"))
SECRET = os.environ.get("WEBHOOK_SECRET", "")


def call(method: str, path: str, body: Any = None, key: str = "") -> tuple[int, Any]:
    """Return status and object. Under a key a request may be sent any number of times and is done once."""
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json", "Idempotency-Key": key}
    sent = {name: text for name, text in headers.items() if text}
    place = urlsplit(URL)
    for pause in (0.2, 0.5, 1, 2, 4, 0):
        line = (HTTPSConnection if place.scheme == "https" else HTTPConnection)(place.netloc, timeout=20)
        try:
            line.request(method, path, json.dumps(body) if body else None, sent)
            answer = line.getresponse()
            status, text = answer.status, answer.read()
            if status not in (408, 429, 500, 503) or not pause:
                return status, json.loads(text)
        except (OSError, HTTPException):  # Nobody knows whether it was done: that is what the key is for.
            if not pause:
                raise
        finally:
            line.close()
        time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def is_genuine(headers: Any, body: bytes) -> bool:
    """Say whether a webhook was signed with our secret, not long ago (standardwebhooks.com)."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(SECRET.removeprefix("whsec_")), signed, hashlib.sha256)
    ours = "v1," + base64.b64encode(digest).decode()
    # One signature for each secret in use: while a secret is being replaced there are two.
    return any(hmac.compare_digest(ours, each) for each in headers.get("webhook-signature", "").split())


class Webhooks(BaseHTTPRequestHandler):
    """A webhook may come twice and in any order: a reason to look, with an object that says what was true."""

    def do_POST(self) -> None:
        """Answer at once; what takes longer belongs into a queue."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        genuine = is_genuine(self.headers, body)
        self.send_response(204 if genuine else 400)
        self.end_headers()
        print("webhook", json.loads(body)["type"] if genuine else "refused", flush=True)


def main() -> None:
    """Sell a book of Anna's and a bell of Bert's in one checkout."""
    if SECRET:
        server = HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Webhooks)
        threading.Thread(target=server.serve_forever).start()
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
    status, checkout = call("POST", "/v1/payments", asked, key=order)
    while status < 300 and not checkout["is_final"]:
        time.sleep(0.3)
        status, checkout = call("GET", f"/v1/checkouts/{order}")
    print("checkout", checkout["status"] if status < 300 else checkout["error"], flush=True)
    for who in ("anna", "bert"):
        for wallet in call("GET", f"/v1/sellers/{who}/wallets")[1]["data"]:
            print(who, wallet["pending"], wallet["currency"], "pending", flush=True)


if __name__ == "__main__":
    main()
