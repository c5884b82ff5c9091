"""``/bank/v1/callbacks``: where the bank tells of payments and payees."""

from __future__ import annotations

import json
import secrets
from typing import Any

from sandbox.banking.errors import BankError, reply
from sandbox.psp.call import Call
from sandbox.server import Response


def create(call: Call) -> Response:
    """Register an address; the answer carries the secret that signs."""
    values = call.params.values
    url, events = values.get("url"), values.get("events", ["*"])
    secret = values.get("secret") or f"bks_{secrets.token_hex(24)}"
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise BankError(400, "parameter_invalid", "url starts with http:// or https://", param="url")
    if not isinstance(events, list) or not all(isinstance(name, str) for name in events):
        raise BankError(400, "parameter_invalid", "events is a list of texts.", param="events")
    if not isinstance(secret, str) or not secret:
        raise BankError(400, "parameter_invalid", "secret is a text.", param="secret")
    known, callback = register(call, url=url, secret=secret, enabled=events)
    return reply(200 if known else 201, callback)


def register(call: Call, *, url: str, secret: str, enabled: list[str]) -> tuple[bool, dict[str, Any]]:
    """Store a callback; the same address with the same secret is one, and hears of what was named last.

    It lies beside the provider's webhook endpoints, which are sent and tried again by the same machinery.
    """
    for row in call.database.rows(
        "SELECT body, hidden FROM object WHERE type = 'webhook_endpoint' AND account = ?", (call.account,)
    ):
        stored = json.loads(row["body"])
        if stored["url"] == url and json.loads(row["hidden"])["secret"] == secret:
            call.save(stored | {"enabled_events": enabled})
            return True, _shown(stored | {"enabled_events": enabled}, secret)
    stored = call.insert(
        {"id": call.new_id("bcb"), "object": "webhook_endpoint", "created": call.now, "url": url,
         "enabled_events": enabled, "status": "enabled"},
        {"secret": secret},
    )  # fmt: skip
    return False, _shown(stored, secret)


def _shown(stored: dict[str, Any], secret: str) -> dict[str, Any]:
    return {"id": stored["id"], "url": stored["url"], "events": stored["enabled_events"], "secret": secret}
