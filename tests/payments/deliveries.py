"""Events as the provider has them, delivered when and as often as a test likes."""

import hashlib
import hmac
import json
from typing import Any

from core import clock
from core.drain import get_drain
from tests.payments.conftest import Shop
from tests.store import client

__all__ = ["deliver", "process", "told"]

SECRET = "whsec_test"


def deliver(shop: Shop, event: dict[str, Any], **changes: Any) -> int:
    """POST one event as the provider does; return the status."""
    body = json.dumps({**event, **changes}).encode()
    stamp = int(clock.now().timestamp())
    signed = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    answer = client().generic(
        "POST",
        f"/psp/{shop.channel.name}/webhooks",
        body,
        "application/json",
        headers={"Stripe-Signature": f"t={stamp},v1={signed}"},
    )
    return answer.status_code


def process() -> None:
    """Let the worker read the inbox."""
    get_drain("inbox").run()


def told(shop: Shop, checkout_id: str, *, about: str = "payment_intent.") -> list[dict[str, Any]]:
    """The provider's events about a checkout, oldest first; `about` is how their types begin."""
    events = shop.provider.control("GET", f"events?account={shop.account_id}")["data"]
    return [
        {key: value for key, value in event.items() if key != "account"}
        for event in events
        if event["type"].startswith(about)
        and event["data"]["object"].get("metadata", {}).get("checkout_id") == checkout_id
    ]
