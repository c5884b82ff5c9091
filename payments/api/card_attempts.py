"""What an attempt to pay with a card is counted by, read from a body before anything of it is checked."""

from collections.abc import Mapping
from typing import Any

from core.client_address import network_of

__all__ = ["card_attempt"]


def card_attempt(body: Any) -> Mapping[str, str]:
    """Return the card and the buyer's address of a body, each where it is there; nothing where no card is.

    The card is a saved method's id, or else its token: what it is at the provider is not asked here.
    """
    card = _part(body, "credit_card_info")
    name = card.get("payment_method_id") or card.get("token")
    if not isinstance(name, str) or not name:
        return {}
    address = _part(body, "buyer_info").get("ip")
    if not isinstance(address, str) or not address:
        return {"card": name}
    return {"card": name, "buyer_ip": network_of(address)}


def _part(body: Any, name: str) -> Mapping[str, Any]:
    part = body.get(name) if isinstance(body, dict) else None
    return part if isinstance(part, dict) else {}
