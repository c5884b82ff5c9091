"""What comes in from providers, and the endpoints that are told: the only way to write either."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction

from channels.types import VerifiedDelivery
from core import clock
from core.api.errors import MalformedRequest
from core.cases import open_case
from core.failpoints import failpoint
from core.history import move
from core.nudges import nudge
from core.rows import insert_new, insert_rows
from core.transactions import requires_transaction
from events.endpoints import (
    acknowledge_endpoint,
    create_endpoint,
    disable_endpoint,
    pause_endpoint,
    resume_endpoint,
    rotate_endpoint_secret,
    update_endpoint,
)
from events.models import InboxWork, WebhookInbox
from events.redeliveries import LONGEST_RANGE, PORTION, redeliver, redeliver_event, redeliver_range
from events.replays import MOST_AT_ONCE, replay_stopped, replay_work
from events.subscriptions import subscribers

__all__ = [
    "LONGEST_RANGE",
    "MOST_AT_ONCE",
    "PORTION",
    "acknowledge_endpoint",
    "create_endpoint",
    "disable_endpoint",
    "pause_endpoint",
    "receive_webhook",
    "redeliver",
    "redeliver_event",
    "redeliver_range",
    "replay_stopped",
    "replay_work",
    "resume_endpoint",
    "rotate_endpoint_secret",
    "update_endpoint",
]

_KEPT_HEADER = re.compile(r"(?i)content-type|user-agent|(webhook|x-bank)-(id|timestamp)|[a-z0-9-]*signature")
_LONGEST_HEADER = 1000
_QUARANTINE_DUE = timedelta(hours=24)


@requires_transaction
def receive_webhook(*, delivery: VerifiedDelivery, raw: bytes, headers: Mapping[str, str]) -> bool:
    """Store a verified delivery with one piece of work per subscriber; return False for a known event.

    An event of the wrong mode is stored, quarantined and shown as a case, and nobody acts on it. Raises
    MalformedRequest when the provider's event id or type cannot be stored.
    """
    row = _inbox_row(delivery, raw, headers)
    failpoint("inbox.storing")
    failpoint("inbox.receiving")
    # The unique key decides: of many at once, one insert stays and the others find that theirs did not.
    if not insert_new(row):
        return False
    if not delivery.fits_mode:
        _quarantine(row, delivery)
        return True
    names = subscribers(row.provider, row.type)
    insert_rows(
        [
            InboxWork(merchant_id=row.merchant_id, inbox=row, subscriber=name, due_at=row.received_at)
            for name in names
        ]
    )
    if names:
        transaction.on_commit(lambda: failpoint("inbox.committed"))
        nudge("inbox")
    return True


def _inbox_row(delivery: VerifiedDelivery, raw: bytes, headers: Mapping[str, str]) -> WebhookInbox:
    for value, longest in ((delivery.event_id, 255), (delivery.type, 128), (delivery.account, 128)):
        if len(value) > longest or "\x00" in value:
            raise MalformedRequest("The event's id, type or account cannot be stored.")
    if not delivery.event_id or not delivery.type:
        raise MalformedRequest("The event has no id or no type.")
    return WebhookInbox(
        merchant_id=delivery.channel.merchant_id,
        channel_id=delivery.channel.id,
        provider=delivery.channel.provider,
        provider_event_id=delivery.event_id,
        type=delivery.type,
        account=delivery.account,
        about=delivery.about,
        raw=raw,
        payload=_payload_beside(raw, delivery.payload),
        headers=_kept(headers),
        occurred_at=delivery.created,
        received_at=clock.now(),
    )


def _payload_beside(raw: bytes, payload: Mapping[str, object]) -> bytes | None:
    try:
        if json.loads(raw) == payload:
            return None
    except ValueError:
        # Not every provider sends JSON; then what its adapter read is kept beside the bytes.
        return json.dumps(payload).encode()
    return json.dumps(payload).encode()


def _kept(headers: Mapping[str, str]) -> dict[str, str]:
    # An allow-list: a header that nobody thought of may hold a credential.
    return {
        name.lower(): value.replace("\x00", "")[:_LONGEST_HEADER]
        for name, value in headers.items()
        if _KEPT_HEADER.fullmatch(name)
    }


def _quarantine(row: WebhookInbox, delivery: VerifiedDelivery) -> None:
    sent = "live" if delivery.livemode else "test"
    reason = f"a {sent} event came to a channel in {delivery.channel.mode} mode"
    move(row, row.to_quarantined, why=reason)
    open_case(
        kind="webhook_quarantined",
        subject=f"channel:{row.channel_id}",
        summary=f"{delivery.channel.name}: {reason}",
        due_in=_QUARANTINE_DUE,
        detail={"inbox": str(row.pk), "event": row.provider_event_id, "type": row.type},
        merchant_id=row.merchant_id,
    )
