"""The drain of deliveries: due deliveries in lanes per endpoint, sent by threads, each lane one commit."""

import json
import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from uuid import UUID

from django.conf import settings
from django.db import connection

from core import clock
from core.drain import Drain
from core.failpoints import failpoint
from core.transactions import at_edge, forbids_transaction
from events import locks, outcomes
from events.errors import UrlNotAllowed
from events.facts import event_data
from events.locks import Lane
from events.models import WebhookDelivery, WebhookEndpoint
from events.outcomes import Try
from events.sender import Answer, Sender
from events.signing import secrets_in_use, sign
from events.targets import read_target
from events.types import EventData

__all__ = ["DeliveryDrain", "event_body"]

log = logging.getLogger(__name__)

LANES_PER_ENDPOINT = 2
LANES_PER_MERCHANT = 3
_PER_LANE = 25
# After this a lane starts no further send: the lease covers it, the last send (15 s) and slow name servers.
_LANE_SECONDS = 5.0
_LOOK_AGAIN_SECONDS = 0.25


class DeliveryDrain(Drain):
    """Sends what is due. Endpoints that hang hold their own lanes, at most half of all, and nobody else's."""

    name = "deliveries"
    model = WebhookDelivery
    parallel = 6
    lease_seconds = settings.DELIVERY_LEASE_SECONDS

    def __init__(self) -> None:
        self._sender = Sender()

    def run(self, *, seconds: float = 20.0) -> int:
        """Deliver until nothing is due or the time is over; return how many tries were made."""
        deadline = time.monotonic() + seconds
        outcomes.cancel_abandoned(until=deadline)
        try:
            return self._send_until(deadline)
        finally:
            self._sender.close()

    def _send_until(self, deadline: float) -> int:
        handled = 0
        in_flight: dict[Future[int], Lane] = {}
        with ThreadPoolExecutor(self.parallel, thread_name_prefix=self.name) as pool:
            while True:
                free = self.parallel - len(in_flight)
                lanes = []
                if free and time.monotonic() < deadline:
                    lanes = self._claim_lanes(free, in_flight.values())
                for lane in lanes:
                    in_flight[pool.submit(self._send_lane, lane)] = lane
                if not in_flight:
                    return handled
                done, _ = wait(in_flight, timeout=_LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED)
                for future in done:
                    del in_flight[future]
                    handled += future.result()

    @at_edge
    def _claim_lanes(self, free: int, sending: Collection[Lane]) -> list[Lane]:
        by_endpoint = Counter(lane.endpoint_id for lane in sending)
        lanes = locks.claim_lanes(
            now=clock.now(),
            lanes=free,
            per_lane=_PER_LANE,
            lease_seconds=self.lease_seconds,
            busy=[endpoint for endpoint, count in by_endpoint.items() if count >= LANES_PER_ENDPOINT],
            held=Counter(lane.merchant_id for lane in sending),
            per_merchant=LANES_PER_MERCHANT,
        )
        if lanes:
            failpoint("deliveries.claimed")
        return lanes

    def _send_lane(self, lane: Lane) -> int:
        try:
            return self._deliver(lane)
        except Exception:
            # The database is likely away; the leases run out and the deliveries are claimed again.
            log.exception("deliveries to %s could not be made or recorded", lane.endpoint_id)
            return 0
        finally:
            connection.close()  # Returns the thread's connection to the pool.

    @forbids_transaction
    def _deliver(self, lane: Lane) -> int:
        endpoint = WebhookEndpoint.objects.get(pk=lane.endpoint_id)
        claimed = WebhookDelivery.objects.filter(pk__in=[claim.id for claim in lane.claims])
        events = {row.pk: event_data(row.event) for row in claimed.select_related("event")}
        connection.close()  # Nobody waits for a database connection while we wait for a stranger.
        tries = list(self._tries(endpoint, lane, events))
        failpoint("deliveries.sent")
        outcomes.record(endpoint_id=endpoint.pk, tries=tries)
        failpoint("deliveries.recorded")
        return sum(each.answer is not None for each in tries)

    def _tries(self, endpoint: WebhookEndpoint, lane: Lane, events: dict[UUID, EventData]) -> Iterator[Try]:
        stop_at = time.monotonic() + _LANE_SECONDS
        # In the order of the feed, as far as that helps a receiver: retries and other lanes may overtake.
        for claim in sorted(lane.claims, key=lambda each: events[each.id].published_seq or 0):
            at = clock.now()
            answer = None if time.monotonic() > stop_at else self._send(endpoint, events[claim.id])
            yield Try(claim, at, answer)

    def _send(self, endpoint: WebhookEndpoint, event: EventData) -> Answer:
        body, now = event_body(event), clock.now()
        timestamp = int(now.timestamp())
        headers = {
            "content-type": "application/json",
            "user-agent": "Quittance-Webhooks/1",
            "webhook-id": event.public_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": sign(
                secrets=secrets_in_use(endpoint.secrets, now=now),
                message_id=event.public_id,
                timestamp=timestamp,
                body=body,
            ),
        }
        try:
            target = read_target(endpoint.url, mode=endpoint.mode)
        except UrlNotAllowed as error:
            return Answer(None, error.code, "", "", 0)
        return self._sender.send(target, body=body, headers=headers)


def event_body(event: EventData) -> bytes:
    """Return the bytes that are sent for an event; the same on every repeat, because a fact never changes."""
    return json.dumps(event.as_object(), separators=(",", ":"), ensure_ascii=False).encode()
