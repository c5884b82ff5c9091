"""What lists of reconciliation are narrowed to."""

from datetime import timedelta
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core import clock
from core.admin_filters import SinceFilter
from merchants.admin_parts import StateFilter
from merchants.selectors import list_merchants
from reconciliation.models import SettlementSource
from reconciliation.states import FILE, STATEMENT

__all__ = ["FileStatus", "PeriodFilter", "SourceFilter", "StatementStatus", "TimeFilter"]

_DAYS = {
    "7": gettext_lazy("The last 7 days"),
    "31": gettext_lazy("The last 31 days"),
    "92": gettext_lazy("The last 92 days"),
}


class TimeFilter(SinceFilter):
    """Rows that came since a moment."""

    title = gettext_lazy("received")


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


class FileStatus(StateFilter):
    """Files in one state."""

    machine = FILE


class StatementStatus(StateFilter):
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
