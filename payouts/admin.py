"""Pay-out in the console: payouts, batches, destinations and blocks as lists; each row opens on its desk."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_display import amount, person, state, text
from core.admin_pages import PageAdmin
from core.admin_site import site
from core.ids import parse_public_id, public_id
from merchants.admin_parts import MerchantColumn, MerchantFilter
from merchants.selectors import merchant_ids, sellers_named
from payouts import admin_exports as exports
from payouts.admin_filters import (
    BatchStatus,
    CurrencyFilter,
    DestinationStatus,
    PayoutStatus,
    TimeFilter,
)
from payouts.looks import BATCH_LOOKS, DESTINATION_LOOKS, PAYOUT_LOOKS
from payouts.models import Destination, Payout, PayoutBatch, PayoutBlock

__all__: list[str] = []

_LONGEST = 64


class _DeskAdmin(MerchantColumn, PageAdmin):
    """A list whose rows open on a desk, which shows all there is and acts through services."""

    desk = ""
    prefix = ""
    search_fields = ("id",)

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        super().prepare_rows(rows)
        self.name_merchants(rows)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A row's page is its desk's."""
        self.only_look(request)
        row = self.get_object(request, object_id)
        if row is None:
            return redirect(f"admin:payouts_{self.opts.model_name}_changelist")
        return redirect(self.desk, public_id(self.prefix, row.pk) if self.prefix else row.pk)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by a whole id or reference, or by the seller."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if len(term) > _LONGEST or "\x00" in term:
            return queryset.none(), False
        if key := parse_public_id(term, self.prefix or "none"):
            return queryset.filter(pk=key), False
        return self.named(queryset, term), False

    def named(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Return the rows of the seller that has this account at any merchant."""
        merchants = merchant_ids()
        return queryset.filter(merchant_id__in=merchants, seller_id__in=sellers_named(seller_account=term))


@register(Payout, site=site)
class PayoutAdmin(_DeskAdmin):
    """All payouts."""

    desk, prefix = "console:payout", "po"
    list_display = (
        "shown_id",
        "created_at",
        "shown_status",
        "shown_seller",
        "shown_merchant",
        "shown_amount",
        "shown_to",
        "execute_on",
    )
    list_filter = (PayoutStatus, CurrencyFilter, TimeFilter, MerchantFilter)
    list_select_related = ("seller", "destination")
    search_help_text = gettext_lazy("A whole po_…, a reference at the bank, or a seller_account")
    export_columns = exports.PAYOUTS
    not_listed = ("metadata", "instruction_digest", "destination__details")
    empty_says = gettext_lazy("Nothing was paid out yet.")

    def named(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the reference of a sending as well, ours or the provider's."""
        merchants = merchant_ids()
        for column in ("reference", "provider_reference"):
            sendings = {f"sendings__{column}": term, "sendings__merchant_id__in": merchants}
            found = queryset.filter(**sendings)
            if found.exists():
                return found
        return super().named(queryset, term)

    @display(description=gettext_lazy("Payout"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to the desk."""
        return _short(row.public_id)

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """The payout's."""
        return state(row.status, PAYOUT_LOOKS[row.status])

    @display(description=gettext_lazy("Seller"))
    def shown_seller(self, row: Any) -> str:
        """By the store's own name."""
        return str(row.seller.seller_account)

    @display(description=gettext_lazy("Amount"))
    def shown_amount(self, row: Any) -> str:
        """What the seller gets."""
        return amount(row.amount_minor, row.currency)

    @display(description=gettext_lazy("To"))
    def shown_to(self, row: Any) -> str:
        """What the account is recognised by."""
        return f"{row.destination.country} …{row.destination.last4}"


@register(PayoutBatch, site=site)
class BatchAdmin(_DeskAdmin):
    """What was sent together."""

    desk, prefix = "console:payout-batch", "pob"
    list_display = (
        "shown_id",
        "created_at",
        "shown_status",
        "shown_merchant",
        "shown_channel",
        "payouts_count",
        "shown_total",
        "file_name",
    )
    list_filter = (BatchStatus, CurrencyFilter, TimeFilter, MerchantFilter)
    list_select_related = ("channel",)
    search_help_text = gettext_lazy("A whole pob_…, or its reference")
    export_columns = exports.BATCHES
    empty_says = gettext_lazy("Nothing was sent yet. Approved payouts are put together on their day.")

    def named(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the reference."""
        merchants = merchant_ids()
        return queryset.filter(merchant_id__in=merchants, reference=term)

    @display(description=gettext_lazy("Batch"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to its page."""
        return _short(row.public_id)

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """The batch's."""
        return state(row.status, BATCH_LOOKS[row.status])

    @display(description=gettext_lazy("Channel"))
    def shown_channel(self, row: Any) -> str:
        """By name."""
        return str(row.channel.name)

    @display(description=gettext_lazy("Total"))
    def shown_total(self, row: Any) -> str:
        """What left with it."""
        return amount(row.total_minor, row.currency)


@register(Destination, site=site)
class DestinationAdmin(_DeskAdmin):
    """Accounts that sellers are paid out to."""

    desk, prefix = "console:destination", "dst"
    list_display = (
        "shown_id",
        "created_at",
        "shown_status",
        "shown_seller",
        "shown_merchant",
        "shown_account",
        "currency",
        "shown_usable",
    )
    list_filter = (DestinationStatus, CurrencyFilter, TimeFilter, MerchantFilter)
    list_select_related = ("seller",)
    search_help_text = gettext_lazy("A whole dst_…, or a seller_account")
    export_columns = exports.DESTINATIONS
    not_listed = ("details", "fingerprint")
    empty_says = gettext_lazy("No seller has added an account yet.")

    @display(description=gettext_lazy("Destination"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to the desk."""
        return _short(row.public_id)

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """The destination's."""
        return state(row.status, DESTINATION_LOOKS[row.status])

    @display(description=gettext_lazy("Seller"))
    def shown_seller(self, row: Any) -> str:
        """By the store's own name."""
        return str(row.seller.seller_account)

    @display(description=gettext_lazy("Account"))
    def shown_account(self, row: Any) -> str:
        """What it is recognised by."""
        return f"{row.country} …{row.last4}"

    @display(description=gettext_lazy("Usable from"))
    def shown_usable(self, row: Any) -> str:
        """When its cool-down ends."""
        return f"{row.usable_from:%Y-%m-%d %H:%M} UTC"


@register(PayoutBlock, site=site)
class BlockAdmin(_DeskAdmin):
    """What stops money from leaving, and what did."""

    desk = "console:payout-block"
    people = ("placed_by", "lifted_by")
    list_display = (
        "placed_at",
        "shown_status",
        "shown_merchant",
        "shown_scope",
        "source",
        "shown_reason",
        "shown_by",
        "shown_lifted",
    )
    list_filter = (TimeFilter, MerchantFilter)
    list_select_related = ("seller",)
    search_help_text = gettext_lazy("A seller_account")
    export_columns = exports.BLOCKS
    empty_says = gettext_lazy("Nothing was stopped yet.")

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """Whether it stands."""
        return state(_("Lifted"), "over") if row.lifted_at else state(_("Stands"), "waiting")

    @display(description=gettext_lazy("Stops"))
    def shown_scope(self, row: Any) -> str:
        """Whose money, in which currency."""
        whose = row.seller.seller_account if row.seller else _("all sellers")
        return f"{whose}, {row.currency or _('all currencies')}"

    @display(description=gettext_lazy("Reason"))
    def shown_reason(self, row: Any) -> str:
        """Why."""
        return text(row.reason)

    @display(description=gettext_lazy("Placed by"))
    def shown_by(self, row: Any) -> str:
        """Who stopped it."""
        return person(row, row.placed_by)

    @display(description=gettext_lazy("Lifted by"))
    def shown_lifted(self, row: Any) -> str:
        """Who let it go again."""
        return person(row, row.lifted_by)


def _short(whole: str) -> str:
    head, _separator, tail = whole.partition("_")
    return format_html('<span class="mono" title="{}">{}_…{}</span>', whole, head, tail[-6:])
