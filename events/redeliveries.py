"""Sending events again: the same id and body with a fresh signature, one event or a range in portions."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q

from core import clock
from core.api.errors import InvalidField
from core.audit_trail import is_person, record_audit, required_reason
from core.errors import NotFound
from core.history import Changes
from core.ids import public_id
from core.models import OutboxEvent
from core.nudges import nudge
from core.rows import insert_new
from core.transactions import requires_transaction
from events import locks
from events.errors import DeliveryCanceled, EndpointDisabled
from events.models import WebhookDelivery
from events.types import Redelivered

__all__ = ["LONGEST_RANGE", "PORTION", "redeliver", "redeliver_event", "redeliver_range"]

PORTION = 500
LONGEST_RANGE = timedelta(days=31)
_FINISHED = {"delivered": ["DELIVERED"], "failed": ["FAILED"], None: ["DELIVERED", "FAILED"]}


@requires_transaction
def redeliver(*, delivery_id: UUID, by: str, reason: str = "") -> None:
    """Send one delivery again, now; while its endpoint is paused it waits.

    Raises NotFound, EndpointDisabled, DeliveryCanceled, and ReasonRequired where a person gives none.
    """
    found = WebhookDelivery.objects.filter(pk=delivery_id).values_list("event_id", "endpoint_id").first()
    if found is None:
        raise NotFound()
    _again(event_id=found[0], endpoint_id=found[1], by=by, reason=reason)


@requires_transaction
def redeliver_event(
    *, merchant_id: UUID, event_id: UUID, endpoint_id: UUID | None = None, by: str, reason: str = ""
) -> list[UUID]:
    """Send a published event again; return the deliveries.

    To the one endpoint, even if it never was to get this event; or to all that got it and are not
    disabled. Raises NotFound, EndpointDisabled, DeliveryCanceled, ReasonRequired.
    """
    mine = OutboxEvent.objects.filter(pk=event_id, merchant_id=merchant_id, published_seq__isnull=False)
    if not mine.exists():
        raise NotFound()
    if endpoint_id is not None:
        locks.lock_endpoint(merchant_id=merchant_id, endpoint_id=endpoint_id)
        return [_again(event_id=event_id, endpoint_id=endpoint_id, by=by, reason=reason)]
    rows = WebhookDelivery.objects.filter(event_id=event_id, merchant_id=merchant_id)
    wanted = rows.exclude(endpoint__status="DISABLED").order_by("endpoint_id")
    return [
        _again(event_id=event_id, endpoint_id=endpoint, by=by, reason=reason)
        for endpoint in list(wanted.values_list("endpoint_id", flat=True))
    ]


@requires_transaction
def redeliver_range(
    *,
    endpoint_id: UUID,
    created_gte: datetime,
    created_lt: datetime,
    status: str | None = None,
    after: UUID | None = None,
    merchant_id: UUID | None = None,
    by: str,
    reason: str = "",
) -> Redelivered:
    """Send again what ended as `status` (delivered, failed; None: either) and was made in this time.

    At most 500 at once, the oldest first; go on with `after` = `last`. What still waits for a try is left
    alone. Raises NotFound, EndpointDisabled, InvalidField for a time that is empty or longer than 31 days,
    and ReasonRequired where a person gives none.
    """
    reason = required_reason(reason) if is_person(by) else reason
    if not timedelta(0) < created_lt - created_gte <= LONGEST_RANGE:
        raise InvalidField(
            f"The end comes after the beginning, at most {LONGEST_RANGE.days} days.", param="created_lt"
        )
    endpoint = locks.lock_endpoint(endpoint_id=endpoint_id, merchant_id=merchant_id)
    if endpoint.status == "DISABLED":
        raise EndpointDisabled()
    rows = WebhookDelivery.objects.filter(
        endpoint_id=endpoint_id,
        created_at__gte=created_gte,
        created_at__lt=created_lt,
        status__in=_FINISHED[status],
    )
    if after is not None:
        rows = rows.filter(_behind(endpoint_id, after))
    found = list(rows.order_by("created_at", "pk").values_list("pk", flat=True)[: PORTION + 1])
    portion = found[:PORTION]
    changes, count = Changes(), 0
    for row in locks.lock_deliveries(ids=portion).values():
        if row.status in _FINISHED[status]:
            _reset(changes, row, by)
            count += 1
    changes.save()
    detail = {"from": created_gte, "to": created_lt, "status": status or "", "count": count}
    _audit(endpoint.public_id, endpoint.merchant_id, by, reason, detail)
    nudge("deliveries")
    return Redelivered(count, portion[-1] if len(found) > PORTION else None)


def _again(*, event_id: UUID, endpoint_id: UUID, by: str, reason: str) -> UUID:
    reason = required_reason(reason) if is_person(by) else reason
    endpoint = locks.lock_endpoint(endpoint_id=endpoint_id)
    if endpoint.status == "DISABLED":
        raise EndpointDisabled()
    now = clock.now()
    fresh = WebhookDelivery(
        merchant_id=endpoint.merchant_id,
        event_id=event_id,
        endpoint_id=endpoint_id,
        due_at=now,
        created_at=now,
    )
    if insert_new(fresh):
        key = fresh.pk
    else:
        key = WebhookDelivery.objects.values_list("pk", flat=True).get(
            event_id=event_id, endpoint_id=endpoint_id
        )
        _send_again(locks.lock_deliveries(ids=[key])[key], now, by)
    detail = {"event": public_id("evt", event_id)}
    _audit(endpoint.public_id, endpoint.merchant_id, by, reason, detail)
    nudge("deliveries")
    return key


def _send_again(row: WebhookDelivery, now: datetime, by: str) -> None:
    if row.status == "CANCELED":
        raise DeliveryCanceled()
    if row.status == "PENDING":
        # Its lease, if somebody is sending it at this moment, stays: one try at a time.
        row.due_at = now
        row.save(update_fields=["due_at"])
        return
    changes = Changes()
    _reset(changes, row, by)
    changes.save()


def _reset(changes: Changes, row: WebhookDelivery, by: str) -> None:
    changes.move(row, row.to_pending, why="redelivered", by=by, due_at=clock.now())


def _behind(endpoint_id: UUID, after: UUID) -> Q:
    """Everything after a delivery in the order of the range, whatever became of that one since."""
    row = WebhookDelivery.objects.filter(pk=after, endpoint_id=endpoint_id)
    moment = row.values_list("created_at", flat=True).first()
    if moment is None:
        raise NotFound()
    return Q(created_at__gt=moment) | Q(created_at=moment, pk__gt=after)


def _audit(subject: str, merchant_id: UUID, by: str, reason: str, detail: dict[str, Any]) -> None:
    record_audit(
        actor=by,
        action="webhook_endpoint.redeliver",
        subject=subject,
        reason=reason,
        detail=detail,
        merchant_id=merchant_id,
    )
