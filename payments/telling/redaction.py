"""What of a provider's answer everybody may see who may see the payment.

Personal data and secrets are in none that is kept: see channels.redaction.
"""

import json
from typing import Any

__all__ = ["outline"]

# What an answer says of the payment itself: enough to answer a buyer, nothing of accounts and set-up.
_TELLING = frozenset(
    [
        "object",
        "status",
        "amount",
        "amount_received",
        "amount_capturable",
        "amount_refunded",
        "currency",
        "error",
        "last_payment_error",
        "outcome",
        "network_status",
        "seller_message",
        "code",
        "decline_code",
        "type",
        "message",
        "failure_code",
        "failure_message",
        "failure_reason",
        "cancellation_reason",
        "reason",
        "data",
    ]
)
_DEEPEST = 8


def outline(body: str) -> str:
    """Return what a provider's answer says of the payment, as JSON; empty for what is no JSON object."""
    try:
        found = json.loads(body)
    except ValueError:
        return ""
    kept = _kept(found, _DEEPEST) if isinstance(found, dict) else None
    return json.dumps(kept, ensure_ascii=False) if kept else ""


def _kept(value: Any, depth: int) -> Any:
    if depth == 0:
        return None
    if isinstance(value, list):
        return [each for each in (_kept(each, depth - 1) for each in value) if each not in (None, {})]
    if not isinstance(value, dict):
        return value
    kept = {name: _kept(each, depth - 1) for name, each in value.items() if name in _TELLING}
    return {name: each for name, each in kept.items() if each not in (None, {}, [])}
