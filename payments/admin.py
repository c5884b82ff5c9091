"""Payments in the console: checkouts and orders as lists; each leads to its timeline."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy

from core import clock
from core.admin_display import amount, state
from core.admin_pages import PageAdmin
from core.admin_site import site
from core.ids import first_key, parse_public_id, public_id
from merchants.admin_parts import MerchantColumn, MerchantFilter
from merchants.selectors import merchant_ids, sellers_named
from payments import admin_exports as exports
from payments import admin_top_ups
from payments.checkout_page import LOOKS, totals
from payments.models import PaymentEvent, PaymentOrder
from payments.snapshots import checkout_status
from payments.states import PAYMENT_ORDER

__all__ = ["admin_top_ups"]

# Without a day, a status is looked for among the newest: so a rare one never reads the whole table.
_RECENT = timedelta(days=7)
_LONGEST = 64


class TimeFilter(SimpleListFilter):
    """Payments since a moment, found by key: keys grow with time."""

    title = gettext_lazy("time")
    parameter_name = "since"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        """From the last hour to the last 90 days."""
        return [
            ("1", gettext_lazy("The last hour")),
            ("24", gettext_lazy("The last 24 hours")),
            ("168", gettext_lazy("The last 7 days")),
            ("720", gettext_lazy("The last 30 days")),
            ("2160", gettext_lazy("The last 90 days")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep what began since then."""
        return queryset.filter(pk__gte=first_key(self.begins())) if self._hours() else queryset

    def begins(self) -> datetime:
        """Since when."""
        return clock.now() - (timedelta(hours=self._hours()) if self._hours() else _RECENT)

    def _hours(self) -> int:
        value = str(self.value() or "")
        return int(value) if value in ("1", "24", "168", "720", "2160") else 0


class StatusFilter(SimpleListFilter):
    """Orders in one state; among those of the last seven days, unless a time is chosen."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every state of an order."""
        return [(name, name.replace("_", " ").capitalize()) for name in PAYMENT_ORDER.states]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Keep the orders in the state, or the checkouts that have such an order."""
        value = self.value()
        if not value:
            return queryset
        if TimeFilter.parameter_name not in request.GET:
            queryset = queryset.filter(pk__gte=first_key(clock.now() - _RECENT))
        if queryset.model is PaymentOrder:
            return queryset.filter(status=value)
        return queryset.filter(Exists(PaymentOrder.objects.filter(checkout=OuterRef("pk"), status=value)))


class _PaymentAdmin(MerchantColumn, PageAdmin):
    """What both lists have in common."""

    list_filter = (StatusFilter, TimeFilter, MerchantFilter)
    search_fields = ("id",)
    export_says = gettext_lazy("A status or a seller without a time: of the last seven days.")

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)

    def lead(self, request: HttpRequest, object_id: str, prefix: str) -> HttpResponse:
        """Go to the timeline of a row, or back to the list from one that there is not."""
        self.only_look(request)
        row = self.get_object(request, object_id)
        if row is None:
            return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist")
        return redirect("console:payment", public_id(prefix, row.pk))

    def find(
        self, queryset: QuerySet[Any], term: str, prefix: str, columns: tuple[str, ...]
    ) -> QuerySet[Any]:
        """Find by our id or by the store's, which is unique for a merchant."""
        if len(term) > _LONGEST or "\x00" in term:
            return queryset.none()
        if key := parse_public_id(term, prefix):
            return queryset.filter(pk=key)
        merchants = merchant_ids()
        found = queryset.none()
        for column in columns:
            found = found | queryset.filter(merchant_id__in=merchants, **{column: term})
        return found


@register(PaymentEvent, site=site)
class CheckoutAdmin(_PaymentAdmin):
    """Checkouts; each opens on its timeline."""

    list_display = ("shown_id", "created_at", "shown_status", "checkout_id", "shown_merchant", "shown_total")
    search_help_text = gettext_lazy("A whole chk_… or chg_…, or the store's own checkout_id")
    export_columns = exports.CHECKOUTS
    not_listed = ("buyer_info", "token", "metadata", "return_url")
    empty_says = gettext_lazy("No store has asked for a payment yet.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by any name of the checkout, of an order of it, or of its charge."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if charge_id := parse_public_id(term, "chg"):
            return queryset.filter(charges=charge_id), False
        return self.find(queryset, term, "chk", ("checkout_id",)), False

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The orders of a whole page in one query."""
        rows = list(rows)
        super().prepare_rows(rows)
        orders = PaymentOrder.objects.filter(checkout__in=rows).order_by("position")
        found: dict[UUID, list[PaymentOrder]] = {}
        for order in orders:
            found.setdefault(order.checkout_id, []).append(order)
        for row in rows:
            row.shown_orders = found.get(row.pk, [])

    @display(description=gettext_lazy("Checkout"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to the story."""
        return _short(public_id("chk", row.pk))

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """The whole checkout's."""
        word = checkout_status([order.status for order in row.shown_orders])
        return state(word, LOOKS[word])

    @display(description=gettext_lazy("Amount"))
    def shown_total(self, row: Any) -> str:
        """The sum of its orders, by currency."""
        return format_html_join(
            " ", "{}", ((amount(minor, currency),) for currency, minor in totals(row.shown_orders).items())
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A checkout's page is its timeline."""
        return self.lead(request, object_id, "chk")


@register(PaymentOrder, site=site)
class OrderAdmin(_PaymentAdmin):
    """Orders, one for each seller of a checkout."""

    list_display = (
        "shown_id",
        "created_at",
        "shown_status",
        "payment_order_id",
        "seller_account",
        "shown_merchant",
        "shown_amount",
    )
    search_help_text = gettext_lazy("A whole pay_…, the store's payment_order_id, or a seller_account")
    export_columns = exports.ORDERS
    empty_says = gettext_lazy("No store has asked for a payment yet.")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by any name of the order, or by its seller among the newest."""
        term = search_term.strip()
        if not term:
            return queryset, False
        found = self.find(queryset, term, "pay", ("payment_order_id",))
        if found.exists() or len(term) > _LONGEST or "\x00" in term:
            return found, False
        recent = queryset.filter(pk__gte=first_key(clock.now() - _RECENT))
        return recent.filter(seller_id__in=sellers_named(seller_account=term)), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """An order's page is its timeline."""
        return self.lead(request, object_id, "pay")

    @display(description=gettext_lazy("Order"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to the checkout."""
        return _short(public_id("pay", row.pk))

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """The order's."""
        return state(row.status, LOOKS[row.status])

    @display(description=gettext_lazy("Amount"))
    def shown_amount(self, row: Any) -> str:
        """What the seller asks for."""
        return amount(row.amount_minor, str(row.amount_currency))


def _short(whole: str) -> str:
    head, _separator, tail = whole.partition("_")
    return format_html('<span class="mono" title="{}">{}_…{}</span>', whole, head, tail[-6:])
