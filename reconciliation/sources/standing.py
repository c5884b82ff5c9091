"""What there is of each business day of a source: the files that are about it, and how far they are."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from uuid import UUID

from django.db.models import Q

from reconciliation.models import SettlementCover, SettlementFile
from reconciliation.sources.types import SourceData

__all__ = ["DayFile", "Standing", "files_about", "standing_of"]

# What these say is said by another file as well.
_OVER = ("DUPLICATE", "SUPERSEDED")
_READ = ("PUBLISHED", *_OVER)


class Standing(StrEnum):
    """How far the file of a day is; the best of what is there."""

    COUNTS = "counts"
    OPEN = "open"  # received, and not yet read to its end
    PROVISIONAL = "provisional"
    REFUSED = "refused"
    MISSING = "missing"


_BY_STATUS = {
    "PUBLISHED": Standing.COUNTS,
    "RECEIVED": Standing.OPEN,
    "STAGING": Standing.OPEN,
    "PROVISIONAL": Standing.PROVISIONAL,
    "REFUSED": Standing.REFUSED,
}
_BEST = list(Standing)


@dataclass(frozen=True)
class DayFile:
    """A file that is about some days."""

    id: UUID
    name: str
    status: str
    first: date
    last: date


def files_about(source: SourceData, first: date, last: date) -> list[DayFile]:
    """Return the files of a source that are about any of these days, newest first."""
    rows = SettlementFile.objects.filter(merchant_id=source.merchant_id, source_id=source.id)
    known = Q(period_to__gte=first, period_from__lte=last)
    asked = Q(period_to__isnull=True, asked_to__gte=first, asked_from__lte=last)
    found = rows.filter(known | asked).exclude(status__in=_OVER).order_by("-pk")
    return _covers(source, first, last) + [
        DayFile(row.pk, row.name, row.status, *days)
        for row in found.only("name", "status", "period_from", "period_to", "asked_from", "asked_to")
        if (days := row.days)
    ]


def _covers(source: SourceData, first: date, last: date) -> list[DayFile]:
    """The files without lines whose very bytes were sent again for one of these days."""
    rows = SettlementCover.objects.filter(
        file__merchant_id=source.merchant_id,
        file__source_id=source.id,
        file__lines_count=0,
        file__status__in=_READ,
        day__range=(first, last),
    )
    found = rows.order_by("-pk").values_list("file_id", "file__name", "day")
    return [DayFile(file_id, name, "PUBLISHED", day, day) for file_id, name, day in found]


def standing_of(
    days: Iterable[date], files: Iterable[DayFile]
) -> Mapping[date, tuple[Standing, list[DayFile]]]:
    """Return for each day how far its file is, and the files that make it so."""
    files = list(files)
    found = {}
    for day in days:
        about = [each for each in files if each.first <= day <= each.last]
        standings = [_BY_STATUS[each.status] for each in about]
        best = min(standings, key=_BEST.index, default=Standing.MISSING)
        found[day] = (best, [each for each in about if _BY_STATUS[each.status] is best])
    return found
