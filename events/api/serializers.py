"""Bodies of the endpoints of webhooks and events."""

from typing import Any

from core.api.errors import InvalidField
from core.api.event_types import EVENT_TYPE, event_types
from core.api.fields import ChoiceTextField, StrictIntegerField, StrictListField, TextField, TimeField
from core.api.schemas import Schema, constant
from core.api.serializers import StrictSerializer

__all__ = [
    "EndpointChanges",
    "EndpointInput",
    "EventRedeliveryInput",
    "RangeInput",
    "RotationInput",
]

DAY, WEEK = 86_400, 604_800


class EventTypeField(TextField):
    """A type that is told, or * for all: another one would never come, and nobody would know why."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=64, **kwargs)

    def to_internal_value(self, data: Any) -> str:
        """Return the type as it is."""
        wanted = ("*", *event_types())
        if not isinstance(data, str) or data not in wanted:
            raise InvalidField(f"Send one of: {', '.join(wanted)}.")
        return data

    def describe(self) -> Schema:
        """The types."""
        return {"anyOf": [constant("*"), EVENT_TYPE]}


class EndpointInput(StrictSerializer):
    """POST: where to tell, and about what; all types where none are named."""

    url = TextField(max_length=500)
    event_types = StrictListField(child=EventTypeField(), min_length=1, max_length=100, default=("*",))


class EndpointChanges(StrictSerializer):
    """PATCH: everything that can change, all of it optional."""

    url = TextField(max_length=500, required=False)
    event_types = StrictListField(child=EventTypeField(), min_length=1, max_length=100, required=False)
    status = ChoiceTextField(choices=("enabled", "paused"), required=False)


class RotationInput(StrictSerializer):
    """How long the old secret signs beside the new one: a day, at most a week."""

    overlap_seconds = StrictIntegerField(minimum=0, maximum=WEEK, default=DAY)


class RangeInput(StrictSerializer):
    """Which deliveries to make again: by when they were first made, and how they ended."""

    created_gte = TimeField()
    created_lt = TimeField()
    status = ChoiceTextField(choices=("delivered", "failed"), required=False)
    cursor = TextField(max_length=64, required=False)


class EventRedeliveryInput(StrictSerializer):
    """To which endpoint; to all that got the event where none is named."""

    webhook_endpoint = TextField(max_length=64, required=False)
