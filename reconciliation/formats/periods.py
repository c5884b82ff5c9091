"""Which days a file is about, where the file itself does not say."""

from datetime import date
from re import ASCII
from re import compile as pattern

from reconciliation.formats.contract import Document, ReadOptions, Refused

__all__ = ["asked_document", "asked_period", "days_in_name"]

# 2026-11-30, 20261130, 2026_11_30: not a part of a longer number.
_DAY = pattern(r"(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)", ASCII)


def asked_period(options: ReadOptions) -> tuple[date, date]:
    """Return the first and the last day that the file was asked for, or that its name says.

    Raises Refused with `period_unknown`: the days of its lines say what is in it, not what it should hold.
    """
    if options.asked_from and options.asked_to:
        first, last = options.asked_from, options.asked_to
    else:
        days = days_in_name(options.name)
        if len(days) not in (1, 2):
            raise Refused("period_unknown", "neither the request nor the name says which days it is about")
        first, last = days[0], days[-1]
    if first > last:
        raise Refused("period_unknown", f"its period ends on {last}, before it begins on {first}")
    return first, last


def asked_document(options: ReadOptions) -> Document:
    """Return the document of a file that is known by its days. Raises Refused with `period_unknown`."""
    first, last = asked_period(options)
    return Document(identity=f"{first}..{last}", period_from=first, period_to=last, account=options.account)


def days_in_name(name: str) -> list[date]:
    """Return the days that the name of a file says, in its order."""
    days = []
    for year, _, month, day in _DAY.findall(name):
        try:
            days.append(date(int(year), int(month), int(day)))
        except ValueError:
            continue
    return days
