"""From rows to the values that cross."""

from core import clock
from core.models import OutboxEvent
from events.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from events.signing import fingerprint, signers_in_use
from events.types import AttemptData, DeliveryData, EndpointData, EventData, SecretData

__all__ = ["delivery_data", "endpoint_data", "event_data"]


def event_data(row: OutboxEvent) -> EventData:
    """Return the value of an event."""
    return EventData(
        id=row.pk,
        merchant_id=row.merchant_id,
        type=row.type,
        subject=row.subject,
        sequence=row.sequence,
        data=row.payload,
        occurred_at=row.occurred_at,
        published_seq=row.published_seq,
    )


def endpoint_data(row: WebhookEndpoint) -> EndpointData:
    """Return the value of an endpoint, without its secrets."""
    return EndpointData(
        id=row.pk,
        merchant_id=row.merchant_id,
        mode=row.mode,
        url=row.url,
        event_types=tuple(row.event_types),
        status=row.status,
        signing_secrets=tuple(
            SecretData(fingerprint(each["secret"]), each["expires_at"])
            for each in signers_in_use(row.secrets, now=clock.now())
        ),
        last_success_at=row.last_success_at,
        created_at=row.created_at,
    )


def delivery_data(row: WebhookDelivery, tries: list[DeliveryAttempt]) -> DeliveryData:
    """Return the value of a delivery with its event's type and its tries, oldest first."""
    return DeliveryData(
        id=row.pk,
        event_id=row.event_id,
        event_type=row.event.type,
        endpoint_id=row.endpoint_id,
        status=row.status,
        due_at=row.due_at,
        created_at=row.created_at,
        finished_at=row.finished_at,
        redelivered_at=row.redelivered_at,
        tries=tuple(
            AttemptData(
                number=each.number,
                http_status=each.http_status,
                duration_ms=each.duration_ms,
                body=each.body,
                error=each.error,
                at=each.at,
            )
            for each in tries
        ),
    )
