"""All that a store needs to talk with Quittance: calls that may be repeated, genuine webhooks, the feed."""

import base64
import hashlib
import hmac
import json
import os
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

FACTS = json.loads(Path("var/dev.json").read_text()) if "QUITTANCE_URL" not in os.environ else {}
URL, KEY = (os.environ.get(f"QUITTANCE_{name}") or FACTS[f"api_{name.lower()}"] for name in ("URL", "KEY"))


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
            wait = answer.headers.get("Retry-After", "")
            if not pause or not (wait or status in (408, 429, 500, 503)):
                return status, json.loads(text)
            pause = max(pause, int(wait) if wait.isdigit() else 0)
        except (OSError, HTTPException):  # Nobody knows whether it was done: that is what the key is for.
            if not pause:
                raise
        finally:
            line.close()
        time.sleep(pause)
    raise AssertionError("the last try returns or raises")


def make(path: str, body: Any, key: str) -> Any:
    """POST what has to succeed, and return what was made."""
    status, made = call("POST", path, body, key)
    if status != 201:
        raise RuntimeError(made["error"])
    return made


def is_genuine(secret: str, headers: Any, body: bytes) -> bool:
    """Say whether a webhook was signed with our secret, not long ago (standardwebhooks.com)."""
    stamp = headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(time.time() - int(stamp)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{stamp}.".encode() + body
    digest = hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256)
    ours = b"v1," + base64.b64encode(digest)
    # One signature for each secret in use: while secrets are being replaced there are several.
    given = headers.get("webhook-signature", "").encode().split()
    return any(hmac.compare_digest(ours, each) for each in given)


def catch_up(after: str, handle: Callable[[Any], None]) -> str:
    """Handle every event after a place in the feed, and return the new place for the next time."""
    while True:
        where = f"&after={quote(after)}" if after else ""
        status, page = call("GET", f"/v1/events?limit=100{where}")
        if status != 200:
            raise RuntimeError(page["error"])
        for event in page["data"]:
            handle(event)
        after = page["next_cursor"] or after
        if not page["has_more"]:
            return after
