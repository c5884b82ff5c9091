"""The event stream in the console: how far it is, and what the example consumer has counted of it."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_base import ReadOnlyAdmin
from core.admin_display import amount, text
from core.admin_site import site
from events.admin_exports import POSITIONS, REVENUE
from events.consumers.daily_revenue import RevenueByDay
from events.models import DailyRevenue, StreamConsumer, StreamPosition
from events.streams.positions import oldest_waiting
from merchants.admin_parts import MerchantColumn, MerchantFilter

__all__: list[str] = []


@register(DailyRevenue, site=site)
class DailyRevenueAdmin(MerchantColumn, ReadOnlyAdmin):
    """One line for each merchant, day and currency."""

    list_display = ("day", "shown_merchant", "paid", "payments", "refunded", "refunds", "net")
    list_display_links = None
    list_filter = (MerchantFilter,)
    list_before_template = "events/revenue.html"
    export_columns = REVENUE
    empty_says = gettext_lazy(
        "Nothing was counted yet. `manage.py consume_events daily_revenue` reads the event stream;"
        " with --settle it reads the feed once and ends."
    )

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Say above the list how far it is complete: these figures come after the books."""
        position = StreamConsumer.objects.filter(pk=RevenueByDay.name).first()
        shown: HttpResponse = super().changelist_view(
            request, {"position": position, **(extra_context or {})}
        )
        return shown

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)

    @display(description=gettext_lazy("Paid"))
    def paid(self, row: Any) -> str:
        """What buyers paid on the day."""
        return amount(row.paid_minor, row.currency)

    @display(description=gettext_lazy("Refunded"))
    def refunded(self, row: Any) -> str:
        """What was given back on the day, whenever it was paid."""
        return amount(row.refunded_minor, row.currency)

    @display(description=gettext_lazy("Net"))
    def net(self, row: Any) -> str:
        """Paid less refunded."""
        return amount(row.paid_minor - row.refunded_minor, row.currency)


@register(StreamPosition, site=site)
class StreamPositionAdmin(ReadOnlyAdmin):
    """One line for each broker that events were ever published to."""

    list_display = ("name", "place", "moved_at", "waits", "attempts", "next_try", "shown_error")
    list_display_links = None
    export_columns = POSITIONS
    empty_says = gettext_lazy("No event was published to a stream yet.")

    @display(description=gettext_lazy("Place in the feed"))
    def place(self, row: StreamPosition) -> str:
        """The published_seq of the last event that was acknowledged."""
        return str(row.published_seq)

    @display(description=gettext_lazy("Waits since"))
    def waits(self, row: StreamPosition) -> str:
        """When the oldest event was recorded that is not in the stream yet."""
        waiting = oldest_waiting(name=row.name)
        return f"{waiting[0]:%Y-%m-%d %H:%M} UTC" if waiting else _("nothing waits")

    @display(description=gettext_lazy("Next try"))
    def next_try(self, row: StreamPosition) -> str:
        """After a failure: when it is tried again."""
        return f"{row.due_at:%Y-%m-%d %H:%M:%S} UTC" if row.attempts and row.due_at else "–"

    @display(description=gettext_lazy("Last failure"))
    def shown_error(self, row: StreamPosition) -> str:
        """The beginning of it; empty while everything is well."""
        return text(row.error)
