"""How others read events, endpoints and deliveries."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from core.models import OutboxEvent
from events.facts import delivery_data, endpoint_data, event_data
from events.models import WebhookDelivery, WebhookEndpoint, WebhookInbox
from events.types import DeliveryData, EndpointData, EventData, ToldData

__all__ = ["deliveries_of", "endpoints_of", "events_of", "told_about", "was_told"]


def was_told(*, channel_id: UUID, since: datetime) -> bool:
    """Say whether a provider has delivered anything over this channel since then."""
    return WebhookInbox.objects.filter(channel_id=channel_id, received_at__gte=since).exists()


def told_about(*, channel_id: UUID, references: Collection[str], limit: int = 50) -> list[ToldData]:
    """Return what a provider told over a channel of things with these references of its own, oldest first."""
    rows = WebhookInbox.objects.filter(channel_id=channel_id, about__in=[each for each in references if each])
    return [
        ToldData(
            row.pk,
            row.provider_event_id,
            row.type,
            row.status,
            row.received_at,
            tuple((each.subscriber, each.status) for each in row.work.all()),
        )
        for row in rows.exclude(about="").order_by("pk").prefetch_related("work")[:limit]
    ]


def events_of(*, merchant_id: UUID, subject: str) -> list[EventData]:
    """Return everything recorded about one subject of the merchant, in its order."""
    rows = OutboxEvent.objects.filter(merchant_id=merchant_id, subject=subject)
    return [event_data(row) for row in rows.order_by("sequence")]


def deliveries_of(*, merchant_id: UUID, event_id: UUID) -> list[DeliveryData]:
    """Return the deliveries of one event of the merchant, one per endpoint, with every try."""
    rows = WebhookDelivery.objects.filter(merchant_id=merchant_id, event_id=event_id)
    return [
        delivery_data(row, sorted(row.tries.all(), key=lambda each: each.pk))
        for row in rows.order_by("pk").prefetch_related("tries")
    ]


def endpoints_of(*, merchant_id: UUID) -> list[EndpointData]:
    """Return the merchant's endpoints, oldest first."""
    return [
        endpoint_data(row) for row in WebhookEndpoint.objects.filter(merchant_id=merchant_id).order_by("pk")
    ]
