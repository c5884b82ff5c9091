"""What lists of pay-out are narrowed to."""

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
from payouts.models import Destination, Payout
from payouts.states import BATCH, DESTINATION, PAYOUT

__all__ = ["BatchStatus", "CurrencyFilter", "DestinationStatus", "PayoutStatus", "TimeFilter"]

_HOURS = ("24", "168", "720", "2160")


class TimeFilter(SimpleListFilter):
    """Rows since a moment, found by key: keys grow with time."""

    title = gettext_lazy("time")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """From the last day to the last 90 days."""
        return [
            ("24", gettext_lazy("The last 24 hours")),
            ("168", gettext_lazy("The last 7 days")),
            ("720", gettext_lazy("The last 30 days")),
            ("2160", gettext_lazy("The last 90 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what began since then."""
        value = str(self.value() or "")
        if value not in _HOURS:
            return queryset
        begins: datetime = clock.now() - timedelta(hours=int(value))
        return queryset.filter(pk__gte=first_key(begins))


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


class PayoutStatus(_StatusFilter):
    """Payouts in one state."""

    machine = PAYOUT


class BatchStatus(_StatusFilter):
    """Batches in one state."""

    machine = BATCH


class DestinationStatus(_StatusFilter):
    """Destinations in one state."""

    machine = DESTINATION


class CurrencyFilter(SimpleListFilter):
    """Rows in one currency."""

    title = gettext_lazy("currency")
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every currency that a destination takes."""
        known = Destination.objects.order_by("currency").values_list("currency", flat=True).distinct()
        return [(each, each) for each in known]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows in the currency."""
        name = "amount_currency" if queryset.model is Payout else "currency"
        return queryset.filter(**{name: self.value()}) if self.value() else queryset
