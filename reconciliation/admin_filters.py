"""What lists of reconciliation are narrowed to."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core import clock
from core.fsm import Machine
from core.ids import first_key
from merchants.selectors import list_merchants
from reconciliation.models import SettlementSource
from reconciliation.states import FILE, STATEMENT

__all__ = ["FileStatus", "PeriodFilter", "SourceFilter", "StatementStatus", "TimeFilter"]

_HOURS = {
    "24": gettext_lazy("The last 24 hours"),
    "168": gettext_lazy("The last 7 days"),
    "720": gettext_lazy("The last 30 days"),
    "2160": gettext_lazy("The last 90 days"),
}
_DAYS = {
    "7": gettext_lazy("The last 7 days"),
    "31": gettext_lazy("The last 31 days"),
    "92": gettext_lazy("The last 92 days"),
}


class TimeFilter(SimpleListFilter):
    """Rows that came since a moment, found by key: keys grow with time."""

    title = gettext_lazy("received")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """From the last day to the last 90 days."""
        return list(_HOURS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what came since then."""
        value = str(self.value() or "")
        if value not in _HOURS:
            return queryset
        begins: datetime = clock.now() - timedelta(hours=int(value))
        return queryset.filter(pk__gte=first_key(begins))


class PeriodFilter(SimpleListFilter):
    """Rows that are about one of the last days."""

    title = gettext_lazy("period")
    parameter_name = "about"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """From a week to a quarter."""
        return list(_DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what is about a day since then."""
        value = str(self.value() or "")
        if value not in _DAYS:
            return queryset
        return queryset.filter(period_to__gte=clock.today() - timedelta(days=int(value)))


class _StatusFilter(SimpleListFilter):
    """Rows in one state."""

    title = gettext_lazy("status")
    parameter_name = "status"
    machine: Machine

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every state there is."""
        return [(name, name.replace("_", " ").capitalize()) for name in self.machine.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows in the state; by merchant as well, because the index begins with it."""
        if not self.value():
            return queryset
        merchants = [each.id for each in list_merchants()]
        return queryset.filter(merchant_id__in=merchants, status=self.value())


class FileStatus(_StatusFilter):
    """Files in one state."""

    machine = FILE


class StatementStatus(_StatusFilter):
    """Statements in one state."""

    machine = STATEMENT


class SourceFilter(SimpleListFilter):
    """Rows of one source."""

    title = gettext_lazy("source")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every source, by name."""
        names = {each.id: each.name for each in list_merchants()}
        return [
            (str(row.pk), f"{row.name} · {names.get(row.merchant_id, '')}")
            for row in SettlementSource.objects.order_by("name")
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the source's rows."""
        chosen = str(self.value() or "")
        if not chosen:
            return queryset
        known = {key for key, _ in self.lookups(request, None)}
        return queryset.filter(source_id=chosen) if chosen in known else queryset.none()
