"""Moments as texts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta


def iso(moment: float) -> str:
    """Seconds since 1970 as a text of ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(moment: float) -> str:
    """The day of a moment in UTC."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def span(day: str) -> tuple[float, float]:
    """First moment of a day in UTC and of the next; ValueError when it is no day."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC)
    return first.timestamp(), (first + timedelta(days=1)).timestamp()


def moment_of(value: object) -> float:
    """Seconds since 1970 of a number or a text of ISO 8601 with its offset; else ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    found = datetime.fromisoformat(str(value))
    if found.tzinfo is None:
        raise ValueError("a moment needs its offset, such as Z")
    return found.timestamp()
