"""One entry of an event stream: the event as the feed shows it, and where it stands."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from core.ids import parse_public_id, public_id
from events.deliveries import event_body
from events.types import EventData

__all__ = ["StreamEntry", "UnreadableEntry", "read_entry"]


class UnreadableEntry(ValueError):
    """What came over the stream is not an event of ours."""


@dataclass(frozen=True)
class StreamEntry:
    """An event on its way into a stream, with the mode of its merchant ("" where there is none).

    `previous` is the place in the feed of the event before it: a reader that saw another one before has
    missed something.
    """

    event: EventData
    mode: str
    previous: int

    @property
    def place(self) -> int:
        """Its place in the feed."""
        assert self.event.published_seq is not None, "only published events go into a stream"
        return self.event.published_seq

    @property
    def body(self) -> bytes:
        """The same bytes as a webhook's."""
        return event_body(self.event)

    def fields(self) -> dict[str, str]:
        """Return everything but the body, as text."""
        event = self.event
        return {
            "id": event.public_id,
            "merchant": public_id("mer", event.merchant_id) if event.merchant_id else "",
            "mode": self.mode,
            "type": event.type,
            "subject": event.subject,
            "sequence": str(event.sequence),
            "published_seq": str(self.place),
            "previous": str(self.previous),
        }


def read_entry(fields: Mapping[str, str], body: bytes) -> EventData:
    """Return the event of an entry. Raises UnreadableEntry."""
    try:
        content = json.loads(body)
        event_id = parse_public_id(fields["id"], "evt")
        merchant_id = parse_public_id(fields["merchant"], "mer") if fields["merchant"] else None
        if event_id is None or (fields["merchant"] and merchant_id is None):
            raise UnreadableEntry("an id is none")
        return EventData(
            id=event_id,
            merchant_id=merchant_id,
            type=str(content["type"]),
            subject=str(content["subject"]),
            sequence=int(content["sequence"]),
            data=dict(content["data"]),
            occurred_at=datetime.fromisoformat(content["occurred_at"]),
            published_seq=int(fields["published_seq"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise UnreadableEntry(f"{type(error).__name__}: {error}") from error
