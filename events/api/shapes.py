"""What events, endpoints and deliveries look like in answers."""

from core.api.schemas import (
    TIME,
    EventType,
    closed,
    constant,
    integer,
    list_of,
    nullable,
    one_of,
    our_id,
    shape,
    text,
)
from events.signing import MOST_SECRETS
from events.states import DELIVERY, ENDPOINT

__all__ = ["DELIVERY_OBJECT", "ENDPOINT_OBJECT", "ENDPOINT_WITH_SECRET", "EVENT", "EVENTS", "REDELIVERY"]

_BIGGEST = 2**31 - 1
_LONGEST_URL = 500
ENDPOINT_PATH = {"reference": our_id("whe", "The endpoint's id.")}
EVENT_PATH = {"reference": our_id("evt", "The event's id, which is also its webhook-id.")}
_SECRET = closed(
    {
        "fingerprint": text("Tells secrets apart without showing them.", minLength=1),
        "expires_at": nullable(TIME),
    },
    required=("fingerprint", "expires_at"),
)
_ENDPOINT = {
    "object": constant("webhook_endpoint"),
    "id": our_id("whe"),
    "url": text(maxLength=_LONGEST_URL, format="uri", example="https://store.example/webhooks"),
    "event_types": list_of(text(example="payment.succeeded"), "`*` stands for all."),
    "status": one_of(
        [state.lower() for state in ENDPOINT.states], "Paused: nothing is sent, nothing dropped."
    ),
    "signing_secrets": list_of(_SECRET, "Those in use, the newest first.", minItems=1, maxItems=MOST_SECRETS),
    "last_success_at": nullable(TIME),
    "created_at": TIME,
}
ENDPOINT_OBJECT = shape("webhook_endpoint", "Where a store is told.", _ENDPOINT)
ENDPOINT_WITH_SECRET = shape(
    "webhook_endpoint_with_secret",
    "An endpoint with its new signing secret, which no other answer shows.",
    _ENDPOINT
    | {
        "secret": nullable(
            text(
                "Null in a repeat, once it is no longer in use.",
                pattern="^whsec_",
                example="whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            )
        )
    },
)
_ATTEMPT = closed(
    {
        "number": integer(minimum=1, maximum=_BIGGEST),
        "http_status": nullable(integer("Null when no answer came.", minimum=0, maximum=999)),
        "duration_ms": integer(minimum=0, maximum=_BIGGEST),
        "error": nullable(text()),
        "response": nullable(text("How the answer began, where the address is public.")),
        "at": TIME,
    },
    required=("number", "http_status", "duration_ms", "error", "response", "at"),
)
DELIVERY_OBJECT = shape(
    "webhook_delivery",
    "One event on its way to one endpoint.",
    {
        "object": constant("webhook_delivery"),
        "id": text(format="uuid", example="019aa3e2-4c1b-7d7e-9a55-0f6f7b2f4f10"),
        "webhook_endpoint": our_id("whe"),
        "event": our_id("evt"),
        "event_type": text(example="payment.succeeded"),
        "status": one_of([state.lower() for state in DELIVERY.states]),
        "next_attempt_at": nullable(TIME),
        "attempts": list_of(_ATTEMPT, "The oldest first."),
        "created_at": TIME,
        "finished_at": nullable(TIME),
        "redelivered_at": nullable(TIME),
    },
)
REDELIVERY = shape(
    "webhook_redelivery",
    "One portion of a range that is sent again.",
    {
        "object": constant("webhook_redelivery"),
        "webhook_endpoint": our_id("whe"),
        "redelivered": integer("How many of this portion.", minimum=0, maximum=_BIGGEST),
        "has_more": {"type": "boolean"},
        "next_cursor": nullable(text("Send it as `cursor` to go on.", minLength=1)),
    },
)
EVENT = shape(
    "event",
    "Something that happened; deliveries have the same id and the same body.",
    {
        "object": constant("event"),
        "id": our_id("evt"),
        "type": text(example="payment.succeeded"),
        "sequence": integer("Counts the events of one subject, from 1.", minimum=1, maximum=2**63 - 1),
        "subject": text("The id of the object that it is about.", example="pay_01kb8y6q3zf4vt9c2m7w5x8rhe"),
        "occurred_at": TIME,
        "data": closed(
            {
                "object": {
                    "type": "object",
                    "description": "The object as it was then, as its type is described.",
                }
            },
            required=["object"],
        ),
    },
)
_TOLD = {
    "paused": "Nothing is sent to the endpoint now: it took nothing for three days, or somebody paused it.",
    "enabled": "The endpoint, which was paused, is told again; what waited comes first.",
    "disabled": "The endpoint is never told again: it answered 410, or somebody disabled it.",
}
EVENTS = {f"webhook_endpoint.{what}": EventType(about, ENDPOINT_OBJECT) for what, about in _TOLD.items()}
