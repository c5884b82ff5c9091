"""What lists of the console show and filter by merchant, for the pages of every app."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import SimpleListFilter, display
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from core.fsm import Machine
from core.ids import parse_public_id, public_id
from merchants.selectors import list_merchants, merchant_ids, merchant_names

__all__ = ["MerchantColumn", "MerchantFilter", "StateFilter"]


class MerchantFilter(SimpleListFilter):
    """Rows of one merchant."""

    title = gettext_lazy("merchant")
    parameter_name = "merchant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every merchant, by name."""
        return [(public_id("mer", each.id), f"{each.name} ({each.mode})") for each in list_merchants()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the merchant's rows."""
        if not self.value():
            return queryset
        chosen = parse_public_id(str(self.value()), "mer")
        return queryset.filter(merchant_id=chosen) if chosen else queryset.none()


class MerchantColumn:
    """Shows whose a row is. A page calls `name_merchants` where it prepares its rows."""

    def name_merchants(self, rows: Iterable[Any]) -> None:
        """Give every row its `merchant_name`: one query for the whole page."""
        rows = list(rows)
        names = merchant_names(merchant_ids={row.merchant_id for row in rows})
        for row in rows:
            row.merchant_name = names.get(row.merchant_id, public_id("mer", row.merchant_id))

    @display(description=gettext_lazy("Merchant"))
    def shown_merchant(self, row: Any) -> str:
        """The store, with its mode."""
        return str(row.merchant_name)


class StateFilter(SimpleListFilter):
    """Rows in one state of `machine`, which subclasses name."""

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
        merchants = merchant_ids()
        return queryset.filter(merchant_id__in=merchants, status=self.value())
