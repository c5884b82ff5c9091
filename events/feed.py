"""The pull feed: a merchant's published events in the order of their places, for whoever missed a webhook.

The relay is alone and commits a batch's places before the next one takes any, so no event ever appears
behind a place that a reader has passed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.errors import NotFound
from core.models import OutboxEvent
from events.facts import event_data
from events.types import EventData

__all__ = ["FeedPage", "find_event", "read_feed"]

# How many events one request looks through for those of a type, so that a rare type costs no more.
WINDOW = 2000


@dataclass(frozen=True)
class FeedPage:
    """Events, oldest first. `last` is the event to go on after, perhaps of another type than the page.

    It is None only where the feed is empty and the reader came without a place.
    """

    items: Sequence[EventData]
    last: UUID | None
    has_more: bool


def read_feed(
    *, merchant_id: UUID, limit: int, after: UUID | None = None, event_type: str | None = None
) -> FeedPage:
    """Return what was published after the event `after`, or from the beginning, oldest first.

    Of one type, a page may hold fewer than `limit` events, or none, though there are more. Raises NotFound
    when `after` is no published event of the merchant.
    """
    rows = OutboxEvent.objects.filter(merchant_id=merchant_id, published_seq__isnull=False)
    if after is not None:
        rows = rows.filter(published_seq__gt=_place(merchant_id, after))
    rows = rows.order_by("published_seq")
    if event_type is None:
        found = [event_data(row) for row in rows[: limit + 1]]
        shown = found[:limit]
        return FeedPage(shown, shown[-1].id if shown else after, len(found) > limit)
    seen = list(rows.values_list("pk", "type")[: WINDOW + 1])
    wanted = [index for index, (_, kind) in enumerate(seen[:WINDOW]) if kind == event_type][:limit]
    end = wanted[-1] + 1 if len(wanted) == limit else min(len(seen), WINDOW)
    keys = [seen[index][0] for index in wanted]
    page = OutboxEvent.objects.filter(pk__in=keys).order_by("published_seq")
    last = seen[end - 1][0] if end else after
    return FeedPage([event_data(row) for row in page], last, len(seen) > end)


def find_event(*, merchant_id: UUID, event_id: UUID) -> EventData:
    """Return a published event of the merchant. Raises NotFound."""
    row = OutboxEvent.objects.filter(
        pk=event_id, merchant_id=merchant_id, published_seq__isnull=False
    ).first()
    if row is None:
        raise NotFound()
    return event_data(row)


def _place(merchant_id: UUID, event_id: UUID) -> int:
    place = find_event(merchant_id=merchant_id, event_id=event_id).published_seq
    assert place is not None
    return place
