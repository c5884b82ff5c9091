"""Wallets in the console: what an owner has, the accounts behind it, and every movement."""

from collections.abc import Iterable
from typing import Any

from django.contrib import messages
from django.contrib.admin import display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_display import amount, digits
from core.admin_site import site
from core.ids import parse_public_id, public_id
from merchants.admin_parts import MerchantColumn, MerchantFilter
from merchants.selectors import owner_names
from wallet import admin_grants, pages
from wallet.admin_exports import WALLETS
from wallet.admin_statements import StatementPages
from wallet.models import Wallet

__all__ = ["admin_grants"]

_OWNERS = {"seller": "sel", "buyer": "buy"}
_PLACES = ("older_than", "newer_than")


@register(Wallet, site=site)
class WalletAdmin(MerchantColumn, StatementPages):
    """Wallets with their buckets; each opens on its operations."""

    list_display = ("shown_id", "owner", "shown_merchant", "kind", *pages.BUCKETS, "created_at")
    list_filter = (MerchantFilter,)
    search_fields = ("id",)
    search_help_text = gettext_lazy("A whole id: wal_…, or the sel_… or buy_… of the owner")
    export_columns = WALLETS
    empty_says = gettext_lazy(
        "Nobody has a wallet yet. It is opened when a seller or buyer first gets money in a currency."
    )
    page_template = "wallet/wallet.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Find by the id of the wallet or of its owner."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if wallet_id := parse_public_id(term, "wal"):
            return queryset.filter(pk=wallet_id), False
        for owner_type, prefix in _OWNERS.items():
            if owner_id := parse_public_id(term, prefix):
                return queryset.filter(owner_type=owner_type, owner_id=owner_id), False
        return queryset.none(), False

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query each."""
        rows = list(rows)
        self.name_merchants(rows)
        owners = owner_names(owner_ids={row.owner_id for row in rows})
        for row in rows:
            row.owner_name = owners.get(row.owner_id) or public_id(_OWNERS[row.owner_type], row.owner_id)

    @display(description=gettext_lazy("Wallet"))
    def shown_id(self, row: Any) -> str:
        """The wallet's id, which is the link to its page."""
        whole = public_id("wal", row.pk)
        return format_html('<span class="mono" title="{}">wal_…{}</span>', whole, whole[-6:])

    @display(description=gettext_lazy("Owner"))
    def owner(self, row: Any) -> str:
        """Whose it is, under the store's own name."""
        return f"{row.owner_name} ({_(row.owner_type)})"

    @display(description=gettext_lazy("Pending"))
    def pending(self, row: Any) -> str:
        """Earned and not yet released."""
        return amount(row.pending_minor, row.currency)

    @display(description=gettext_lazy("Available"))
    def available(self, row: Any) -> str:
        """What can be spent or paid out."""
        return amount(row.available_minor, row.currency)

    @display(description=gettext_lazy("Held"))
    def held(self, row: Any) -> str:
        """Frozen for payouts, disputes and reserves."""
        return amount(row.held_minor, row.currency)

    @display(description=gettext_lazy("Receivable"))
    def receivable(self, row: Any) -> str:
        """What the owner owes."""
        return amount(row.receivable_minor, row.currency)

    def page_title(self, row: Any) -> str:
        """Whose wallet, in which currency."""
        return f"{_('Wallet')} · {row.owner_name} · {row.currency} {row.kind}"

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Go to the newest operations when the place in the address is none."""
        given = [request.GET[name] for name in _PLACES if name in request.GET]
        if len(given) > 1 or any(not _is_place(text) for text in given):
            messages.warning(request, _("That link does not fit. These are the newest operations."))
            return HttpResponseRedirect(request.path)
        return super().change_view(request, object_id, form_url, extra_context)

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """Buckets beside their accounts, and one page of operations."""
        place = {name: int(request.GET[name]) for name in _PLACES if name in request.GET}
        page = pages.operations(wallet_id=row.pk, **place)
        return {
            "public_id": public_id("wal", row.pk),
            "owner_id": public_id(_OWNERS[row.owner_type], row.owner_id),
            "buckets": [_bucket(each, row.currency) for each in pages.buckets(wallet_id=row.pk)],
            "holds": [_hold(each, row.currency) for each in pages.open_holds(wallet_id=row.pk)],
            "give_url": self._give_url(request, row),
            "operations": [_operation(each, row.currency) for each in page.operations],
            "older_url": f"?older_than={page.older_than}" if page.older_than else "",
            "money_url": (
                reverse("console:sellers-item", args=[public_id("wal", row.pk)])
                if row.owner_type == "seller"
                else ""
            ),
            "statement_url": self.statement_url(row),
            "newer_url": f"?newer_than={page.newer_than}" if page.newer_than else "",
        }

    def _give_url(self, request: HttpRequest, row: Any) -> str:
        """Where more can be given to the buyer, for whoever may."""
        if row.owner_type != "buyer" or not request.user.has_perm("wallet.add_grant"):
            return ""
        wished = {"merchant": public_id("mer", row.merchant_id), "buyer_account": row.owner_name}
        return f"{reverse('admin:wallet_grant_new')}?{urlencode(wished)}"


def _hold(each: pages.HoldRow, currency: str) -> dict[str, Any]:
    return {
        "at": each.created_at,
        "purpose": _PURPOSES[each.purpose],
        "subject": each.subject,
        "amount": amount(each.amount_minor, currency),
        "until": each.expires_at,
    }


_PURPOSES = {
    "payment": gettext_lazy("A payment"),
    "payout": gettext_lazy("A payout"),
    "dispute": gettext_lazy("A dispute"),
    "reserve": gettext_lazy("Rolling reserve"),
}


def _bucket(bucket: pages.Bucket, currency: str) -> dict[str, Any]:
    """Return one bucket beside the accounts behind it, which must add up to it."""
    return {
        "name": _BUCKET_NAMES[bucket.name],
        "says": _BUCKET_SAYS[bucket.name],
        "amount": amount(bucket.balance_minor, currency),
        "agrees": not bucket.difference_minor,
        "difference": amount(bucket.difference_minor, currency),
        "accounts": [
            {
                "role": each.role,
                "url": reverse("admin:ledger_account_change", args=[each.account_id]),
                "balance": amount(each.balance_minor, currency),
            }
            for each in bucket.accounts
        ],
    }


_BUCKET_NAMES = {
    "pending": gettext_lazy("Pending"),
    "available": gettext_lazy("Available"),
    "held": gettext_lazy("Held"),
    "receivable": gettext_lazy("Receivable"),
}
_BUCKET_SAYS = {
    "pending": gettext_lazy("Earned, not yet released"),
    "available": gettext_lazy("Can be spent or paid out"),
    "held": gettext_lazy("Frozen for payouts, disputes, reserves"),
    "receivable": gettext_lazy("What the owner owes"),
}


def _operation(each: pages.OperationRow, currency: str) -> dict[str, Any]:
    sign = "+" if each.delta_minor > 0 else "−"
    return {
        "at": each.recorded_at,
        "bucket": _BUCKET_NAMES[each.bucket],
        "role": each.role,
        "delta": f"{sign}{digits(abs(each.delta_minor), currency)}",
        "after": digits(each.balance_after_minor, currency),
        "entry": each.entry_id,
        "url": reverse("admin:ledger_journalentry_change", args=[each.entry_id]),
    }


def _is_place(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < len(text) < 19
