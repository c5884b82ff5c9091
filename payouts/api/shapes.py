"""What pay-out looks like in answers and events."""

from collections.abc import Mapping

from core.api.schemas import EventType
from payouts.api.destination_shapes import DESTINATION_EVENTS

__all__ = ["EVENTS"]

EVENTS: Mapping[str, EventType] = {
    **DESTINATION_EVENTS,
}
