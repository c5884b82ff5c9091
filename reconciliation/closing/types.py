"""What the close of a day hands to those who look at it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

__all__ = ["DayAtDesk", "DayData", "Obstacle"]


@dataclass(frozen=True)
class Obstacle:
    """One thing that stands in the way of closing a day, or that who signs should know.

    `code` is stable; `says` is a sentence; `subject` names what it is about: a source's name, a file's or a
    break's id as shown outside, the name of an audit.
    """

    code: str
    says: str
    subject: str = ""


@dataclass(frozen=True)
class DayData:
    """The close of one day. `digest` is the SHA-256 of the figures in hex, empty while there are none."""

    merchant_id: UUID
    day: date
    status: str
    figures: Mapping[str, Any]
    digest: str
    prepared_by: str
    prepared_at: datetime | None
    closed_by: str
    closed_at: datetime | None


@dataclass(frozen=True)
class DayAtDesk:
    """A day as it stands now: what is frozen of it, what stands in the way, and what to know.

    `figures` are the frozen ones of a prepared or closed day, of an open one those that it would have.
    """

    close: DayData
    figures: Mapping[str, Any]
    obstacles: tuple[Obstacle, ...]
    notices: tuple[Obstacle, ...]
    is_next: bool
