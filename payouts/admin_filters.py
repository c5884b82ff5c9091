"""What lists of pay-out are narrowed to."""

from typing import Any

from django.contrib.admin import SimpleListFilter
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core.admin_filters import SinceFilter as TimeFilter
from core.admin_filters import distinct_values
from merchants.admin_parts import StateFilter
from payouts.models import Destination, Payout
from payouts.states import BATCH, DESTINATION, PAYOUT

__all__ = ["BatchStatus", "CurrencyFilter", "DestinationStatus", "PayoutStatus", "TimeFilter"]


class PayoutStatus(StateFilter):
    """Payouts in one state."""

    machine = PAYOUT


class BatchStatus(StateFilter):
    """Batches in one state."""

    machine = BATCH


class DestinationStatus(StateFilter):
    """Destinations in one state."""

    machine = DESTINATION


class CurrencyFilter(SimpleListFilter):
    """Rows in one currency."""

    title = gettext_lazy("currency")
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every currency that a destination takes."""
        return [(each, each) for each in distinct_values(Destination, "currency")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the rows in the currency."""
        name = "amount_currency" if queryset.model is Payout else "currency"
        return queryset.filter(**{name: self.value()}) if self.value() else queryset
