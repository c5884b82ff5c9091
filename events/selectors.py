"""How others read events, endpoints and deliveries."""

from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from core.api.pagination import Page
from core.errors import NotFound
from core.models import OutboxEvent
from events.facts import delivery_data, endpoint_data, event_data
from events.models import WebhookDelivery, WebhookEndpoint, WebhookInbox
from events.signing import fingerprint
from events.types import DeliveryData, EndpointData, EventData, ToldData

__all__ = [
    "deliveries_about",
    "deliveries_of",
    "endpoints_of",
    "events_of",
    "get_deliveries",
    "get_endpoint",
    "issued_secret",
    "list_deliveries",
    "list_endpoints",
    "told_about",
    "was_told",
]


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
    return _with_tries(rows.order_by("pk"))


def deliveries_about(
    *, merchant_id: UUID, subjects: Collection[str], limit: int = 100
) -> list[tuple[EventData, list[DeliveryData]]]:
    """Return the first events about any of these subjects, oldest first, each with all of its deliveries."""
    events = OutboxEvent.objects.filter(subject__in=list(subjects), merchant_id=merchant_id)
    found = [event_data(row) for row in events.order_by("pk")[:limit]]
    rows = WebhookDelivery.objects.filter(merchant_id=merchant_id, event_id__in=[each.id for each in found])
    by_event: dict[UUID, list[DeliveryData]] = {each.id: [] for each in found}
    for delivery in _with_tries(rows.order_by("pk")):
        by_event[delivery.event_id].append(delivery)
    return [(each, by_event[each.id]) for each in found]


def get_deliveries(*, merchant_id: UUID, ids: Collection[UUID]) -> list[DeliveryData]:
    """Return these deliveries of the merchant, oldest first, with every try."""
    return _with_tries(WebhookDelivery.objects.filter(merchant_id=merchant_id, pk__in=ids).order_by("pk"))


def list_deliveries(
    *,
    merchant_id: UUID,
    endpoint_id: UUID,
    limit: int,
    after: UUID | None = None,
    status: str | None = None,
    event_id: UUID | None = None,
    created_gte: datetime | None = None,
    created_lt: datetime | None = None,
) -> Page[DeliveryData]:
    """Return one page of an endpoint's deliveries, newest first, from behind the delivery `after`."""
    rows = WebhookDelivery.objects.filter(
        merchant_id=merchant_id,
        endpoint_id=endpoint_id,
        **_given(
            pk__lt=after,
            status=status and status.upper(),
            event_id=event_id,
            created_at__gte=created_gte,
            created_at__lt=created_lt,
        ),
    )
    found = _with_tries(rows.order_by("-pk")[: limit + 1])
    page = found[:limit]
    return Page(items=page, last=page[-1].id if len(found) > limit else None)


def endpoints_of(*, merchant_id: UUID) -> list[EndpointData]:
    """Return the merchant's endpoints, oldest first."""
    return [
        endpoint_data(row) for row in WebhookEndpoint.objects.filter(merchant_id=merchant_id).order_by("pk")
    ]


def list_endpoints(
    *, merchant_id: UUID, limit: int, after: UUID | None = None, status: str | None = None
) -> Page[EndpointData]:
    """Return one page of the merchant's endpoints, newest first, disabled ones included."""
    rows = WebhookEndpoint.objects.filter(
        merchant_id=merchant_id, **_given(pk__lt=after, status=status and status.upper())
    )
    found = [endpoint_data(row) for row in rows.order_by("-pk")[: limit + 1]]
    page = found[:limit]
    return Page(items=page, last=page[-1].id if len(found) > limit else None)


def get_endpoint(*, merchant_id: UUID, endpoint_id: UUID) -> EndpointData:
    """Return one endpoint of the merchant. Raises NotFound."""
    row = WebhookEndpoint.objects.filter(merchant_id=merchant_id, pk=endpoint_id).first()
    if row is None:
        raise NotFound()
    return endpoint_data(row)


def issued_secret(*, merchant_id: UUID, endpoint_id: UUID, mark: str) -> str | None:
    """Return the signing secret with this fingerprint in the clear, or None when it is not kept any more.

    Only for the answer to the request that made it.
    """
    row = WebhookEndpoint.objects.filter(merchant_id=merchant_id, pk=endpoint_id).first()
    secrets = [each["secret"] for each in row.secrets] if row else []
    return next((secret for secret in secrets if fingerprint(secret) == mark), None)


def _with_tries(rows: Any) -> list[DeliveryData]:
    return [
        delivery_data(row, sorted(row.tries.all(), key=lambda each: each.pk))
        for row in rows.select_related("event").prefetch_related("tries")
    ]


def _given(**filters: Any) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}
