"""What stores receive: one webhook for each type of event."""

from collections.abc import Mapping
from typing import Any

from core.api.openapi.samples import sample
from core.api.schemas import (
    TIME,
    Component,
    closed,
    constant,
    integer,
    our_id,
    shape,
    text,
)

__all__ = ["webhooks_of"]

_BIGGEST = 2**63 - 1
_HEADERS = (
    ("webhook-id", "The event's id: the same for every delivery of it."),
    ("webhook-timestamp", "When this delivery was sent, in seconds since 1970."),
    ("webhook-signature", "Standard Webhooks: v1, and the HMAC-SHA256 of id, timestamp and body."),
)


def webhooks_of(events: Mapping[str, Component]) -> dict[str, Any]:
    """Return the webhooks section for event types and the objects that they carry."""
    return {name: {"post": _delivery(name, events[name])} for name in sorted(events)}


def _delivery(name: str, carried: Component) -> dict[str, Any]:
    event = _event(name, carried)
    return {
        "operationId": "on_" + name.replace(".", "_"),
        "summary": f"The event {name}",
        "description": "Answer any 2xx within the time-out; anything else is tried again for three days.",
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


def _event(name: str, carried: Component) -> Component:
    return shape(
        "event_" + name.replace(".", "_"),
        f"The event {name}.",
        {
            "object": constant("event"),
            "id": our_id("evt"),
            "type": constant(name),
            "sequence": integer("Counts the events of one subject, from 1.", minimum=1, maximum=_BIGGEST),
            "subject": text("What it is about, by id.", example="pay_01kb8y6q3zf4vt9c2m7w5x8rhe"),
            "occurred_at": TIME,
            "data": closed({"object": carried}, required=["object"], about="The object as it was then."),
        },
    )
