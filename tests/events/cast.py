"""Who plays in the tests of events: a merchant with a channel, a provider that signs, facts, endpoints."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.test import Client

from channels.services import create_channel
from core import clock
from core.models import OutboxEvent
from core.transactions import at_edge
from events.services import create_endpoint
from events.types import IssuedEndpoint
from merchants.services import create_merchant

SECRET = "whsec_of_the_provider"


@dataclass(frozen=True)
class Provider:
    """The provider's side of one channel."""

    merchant_id: UUID
    channel_id: UUID
    name: str
    secret: str = SECRET

    def event(self, event_id: str = "evt_1", kind: str = "thing.done", **more: Any) -> bytes:
        """Return the bytes of an event."""
        content = {"id": event_id, "type": kind, "created": int(time.time()), "livemode": False, "data": {}}
        return json.dumps({**content, **more}).encode()

    def signature(self, body: bytes, *, secret: str | None = None, at: int | None = None) -> str:
        """Return the Stripe-Signature header of a body."""
        stamp = int(clock.now().timestamp()) if at is None else at
        digest = hmac.new((secret or self.secret).encode(), f"{stamp}.".encode() + body, hashlib.sha256)
        return f"t={stamp},v1={digest.hexdigest()}"

    def deliver(self, body: bytes, **signed: Any) -> HttpResponse:
        """POST a signed body, as the provider does."""
        return self.post(body, {"Stripe-Signature": self.signature(body, **signed)})

    def post(self, body: bytes, headers: Mapping[str, str], *, name: str | None = None) -> HttpResponse:
        """POST a body with these headers."""
        return Client().generic(
            "POST", f"/psp/{name or self.name}/webhooks", body, "application/json", headers=dict(headers)
        )


@at_edge
def open_provider(name: str = "psp_1", *, mode: str = "test") -> Provider:
    """Open a merchant with one channel."""
    merchant = create_merchant(name="Acme", mode=mode)
    channel = create_channel(
        merchant_id=merchant.id,
        name=name,
        provider="stripe",
        secret_key="sk_test_1",
        webhook_secret=SECRET,
    )
    return Provider(merchant.id, channel.id, name)


@at_edge
def open_merchant(mode: str = "test") -> UUID:
    """Open a merchant."""
    return create_merchant(name="Acme", mode=mode).id


@at_edge
def open_endpoint(merchant_id: UUID, url: str, *event_types: str) -> IssuedEndpoint:
    """Have the merchant told at this URL."""
    return create_endpoint(merchant_id=merchant_id, url=url, event_types=event_types or ("*",))


@at_edge
def record(
    merchant_id: UUID | None,
    subject: str,
    *sequences: int,
    kind: str = "payment.succeeded",
    thing: Mapping[str, Any] | None = None,
) -> list[UUID]:
    """Record facts with these numbers about a subject; `thing` is what they say of it."""
    rows = [
        OutboxEvent(
            merchant_id=merchant_id,
            type=kind,
            subject=subject,
            sequence=sequence,
            payload={
                "object": {"object": "payment_order", "id": subject, "amount": "10.00", **(thing or {})}
            },
            occurred_at=clock.now(),
            recorded_at=clock.now(),
        )
        for sequence in sequences
    ]
    return [row.pk for row in OutboxEvent.objects.bulk_create(rows)]
