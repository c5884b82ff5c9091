"""What stores receive: one webhook for each type of event."""

from collections.abc import Mapping
from typing import Any

from core.api.openapi.samples import sample
from core.api.schemas import (
    TIME,
    Component,
    EventType,
    closed,
    constant,
    integer,
    our_id,
    shape,
    text,
)

__all__ = ["webhooks_of"]

_BIGGEST = 2**63 - 1
_ANSWER = "Answer any 2xx within the time-out; anything else is tried again for three days."
_HEADERS = (
    ("webhook-id", "The event's id: the same for every delivery of it."),
    ("webhook-timestamp", "When this delivery was sent, in seconds since 1970."),
    ("webhook-signature", "Standard Webhooks: v1, and the HMAC-SHA256 of id, timestamp and body."),
)


def webhooks_of(events: Mapping[str, EventType]) -> dict[str, Any]:
    """Return the webhooks section for event types, by their names."""
    return {name: {"post": _delivery(name, events[name])} for name in sorted(events)}


def _delivery(name: str, told: EventType) -> dict[str, Any]:
    event = _event(name, told)
    return {
        "operationId": "on_" + name.replace(".", "_"),
        "summary": f"The event {name}",
        "description": f"{told.about}\n\n{_ANSWER}",
        "tags": ["events"],
        "security": [],
        "parameters": [
            {
                "in": "header",
                "name": name,
                "required": True,
                "description": about,
                "schema": text(minLength=1),
            }
            for name, about in _HEADERS
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": event, "example": sample(event)}},
        },
        "responses": {"2XX": {"description": "Taken."}},
    }


def _event(name: str, told: EventType) -> Component:
    example = sample(told.carried.schema["properties"]["id"])
    return shape(
        "event_" + name.replace(".", "_"),
        told.about,
        {
            "object": constant("event"),
            "id": our_id("evt"),
            "type": constant(name),
            "sequence": integer("Counts the events of one subject, from 1.", minimum=1, maximum=_BIGGEST),
            "subject": text("What it is about, by id.", example=example),
            "occurred_at": TIME,
            "data": closed({"object": told.carried}, required=["object"], about="The object as it was then."),
        },
    )
