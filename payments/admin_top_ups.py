"""Top-ups in the console: a list, and each as a story."""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_display import amount, state
from core.admin_pages import FindsRows, PageAdmin
from core.admin_site import site
from core.ids import parse_public_id, public_id
from merchants.admin_parts import MerchantColumn, MerchantFilter
from payments.admin_exports import TOP_UPS
from payments.layout import story_layout
from payments.models import Charge, TopUp
from payments.story import top_up_story

__all__: list[str] = []

_LOOKS = {
    "SUCCESS": "done",
    "FAILED": "failed",
    "EXECUTING": "progress",
    "REQUIRES_ACTION": "waiting",
    "NOT_STARTED": "neutral",
    "CANCELED": "over",
    "EXPIRED": "over",
}


@register(TopUp, site=site)
class TopUpAdmin(MerchantColumn, FindsRows, PageAdmin):
    """Money that buyers brought into their wallets; each opens on its story."""

    list_display = (
        "shown_id",
        "created_at",
        "shown_status",
        "buyer_account",
        "shown_merchant",
        "shown_amount",
    )
    list_filter = (MerchantFilter,)
    search_fields = ("id",)
    search_help_text = gettext_lazy("A whole top_…, wal_… or chg_…")
    export_columns = TOP_UPS
    not_listed = ("token", "return_url")
    empty_says = gettext_lazy("No buyer has brought money into a wallet yet.")
    page_template = "payments/top_up.html"

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Find by the id of the top-up, of its wallet or of its charge."""
        if key := parse_public_id(term, "top"):
            return queryset.filter(pk=key)
        if key := parse_public_id(term, "wal"):
            return queryset.filter(wallet_id=key)
        if key := parse_public_id(term, "chg"):
            return queryset.filter(charges=key)
        return queryset.none()

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The merchants of a whole page in one query."""
        self.name_merchants(list(rows))

    @display(description=gettext_lazy("Top-up"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to the story."""
        whole = public_id("top", row.pk)
        return format_html('<span class="mono" title="{}">top_…{}</span>', whole, whole[-6:])

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """How it stands."""
        return state(row.status, _LOOKS[row.status])

    @display(description=gettext_lazy("Amount"))
    def shown_amount(self, row: Any) -> str:
        """What comes into the wallet."""
        return amount(row.amount_minor, str(row.amount_currency))

    def page_title(self, row: Any) -> str:
        """Top-up, and whose."""
        return f"{_('Top-up')} · {row.buyer_account}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """State, wallet, charge, and the story."""
        charge = Charge.objects.filter(top_up=row).first()
        may = request.user.has_perm
        return {
            "public_id": public_id("top", row.pk),
            "status": state(row.status, _LOOKS[row.status]),
            "amount": amount(row.amount_minor, str(row.amount_currency)),
            **_taken_back(row),
            "why": (row.failure or {}).get("message", ""),
            "wallet": public_id("wal", row.wallet_id),
            "wallet_url": reverse("admin:wallet_wallet_change", args=[row.wallet_id])
            if may("wallet.view_wallet")
            else "",
            "charge": public_id("chg", charge.pk) if charge else "",
            "reference": (charge.psp_reference or charge.session_reference or "") if charge else "",
            "chapters": story_layout(
                top_up_story(merchant_id=row.merchant_id, top_up_id=row.pk),
                may=may,
            ),
        }


def _taken_back(row: Any) -> dict[str, str]:
    """What of a top-up went back at the provider, and what of that its wallet did not have any more."""
    missing = sum(row.returns.values_list("missing_minor", flat=True))
    found = {"refunded": row.refunded_minor, "reversed": row.reversed_minor, "missing": missing}
    currency = str(row.amount_currency)
    return {name: amount(minor, currency) if minor else "" for name, minor in found.items()}
