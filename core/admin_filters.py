"""What many lists of the console are narrowed to."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core import clock
from core.ids import first_key

__all__ = ["SinceFilter"]

_HOURS = {
    "24": gettext_lazy("The last 24 hours"),
    "168": gettext_lazy("The last 7 days"),
    "720": gettext_lazy("The last 30 days"),
    "2160": gettext_lazy("The last 90 days"),
}


class SinceFilter(SimpleListFilter):
    """Rows since a moment, found by key: keys grow with time."""

    title = gettext_lazy("time")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """From the last day to the last 90 days."""
        return list(_HOURS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what began since then."""
        value = str(self.value() or "")
        if value not in _HOURS:
            return queryset
        return queryset.filter(pk__gte=first_key(clock.now() - timedelta(hours=int(value))))
