"""What others know of sources: frozen values, never rows."""

from dataclasses import dataclass
from datetime import date, datetime, time
from uuid import UUID

from core.ids import public_id

__all__ = ["Day", "SourceData", "SourceSettings"]


@dataclass(frozen=True)
class SourceSettings:
    """What a source is set up with; see the model for what each part means."""

    kind: str
    provider: str
    channel_id: UUID | None
    account: str
    currency: str
    format: str
    encoding: str
    time_zone: str
    fetcher: str
    calendar: str
    expected_after: int
    expected_by: time
    begins_on: date


@dataclass(frozen=True)
class SourceData:
    """One stream of files of one merchant."""

    id: UUID
    merchant_id: UUID
    name: str
    is_enabled: bool
    settings: SourceSettings

    @property
    def public_id(self) -> str:
        """What it is called among cases and in the audit trail."""
        return public_id("src", self.id)


@dataclass(frozen=True)
class Day:
    """One business day of a source: from when its file can be there, and when it must be.

    `first` is the first day that its file is about: days that are no business days belong to the next one.
    """

    first: date
    day: date
    over_at: datetime
    due_at: datetime
