"""What rules did by themselves today: the queue in which people look over their shoulder."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q

from core import clock
from core.ids import first_key
from reconciliation.models import Adjustment, Discrepancy
from reconciliation.resolving.reading import row_of
from reconciliation.resolving.types import BreakFilters, BreakRow

__all__ = ["RuledBreak", "breaks_by_rule"]

# A rule takes a break when it is found, or when its file is posted, which is soon after.
_FOUND_WITHIN = timedelta(days=7)


@dataclass(frozen=True)
class RuledBreak:
    """A break that a rule took, and the entry that it posted: none where nothing was to be posted."""

    row: BreakRow
    template: str
    entry_id: int | None


def breaks_by_rule(
    *,
    merchant_id: UUID | None = None,
    filters: BreakFilters | None = None,
    before: UUID | None = None,
    limit: int = 50,
) -> list[RuledBreak]:
    """Return breaks that rules posted an entry for today (UTC), or closed without one; the newest first.

    Those `before` a key. Of the filters, class, source and currency count.
    """
    begins = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
    posted = Adjustment.objects.filter(pk__gte=first_key(begins), automatic=True).values("discrepancy_id")
    closed = Q(category="A", status="RESOLVED", resolved_at__gte=begins)
    rows = Discrepancy.objects.select_related("source").filter(
        Q(pk__in=posted) | closed, pk__gte=first_key(begins - _FOUND_WITHIN)
    )
    wanted = filters or BreakFilters()
    named = {
        "merchant_id": merchant_id, "break_class": wanted.break_class, "source_id": wanted.source_id,
        "currency": wanted.currency, "pk__lt": before,
    }  # fmt: skip
    rows = rows.filter(**{name: value for name, value in named.items() if value})
    page = list(rows.order_by("-pk")[:limit])
    entries = _posted([each.pk for each in page])
    return [
        RuledBreak(
            row_of(each),
            entries[each.pk].template if each.pk in entries else "",
            entries[each.pk].entry_id if each.pk in entries else None,
        )
        for each in page
    ]


def _posted(breaks: list[UUID]) -> dict[UUID, Adjustment]:
    rows = Adjustment.objects.filter(discrepancy_id__in=breaks, automatic=True, reverses__isnull=True)
    return {each.discrepancy_id: each for each in rows.order_by("pk")}
