"""Payments in the console: checkouts and orders as lists, and each checkout as a story."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.admin import SimpleListFilter, display, register
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core import clock
from core.admin_display import amount, name_people, person, state
from core.admin_pages import PageAdmin
from core.admin_site import site
from core.ids import first_key, parse_public_id, public_id
from core.models import Case
from merchants.admin_parts import MerchantColumn, MerchantFilter
from merchants.selectors import list_merchants
from payments import admin_top_ups
from payments.engine.refunds.shares import left_to_refund
from payments.layout import story_layout
from payments.models import BalancePart, Charge, PaymentEvent, PaymentOrder, PspOperation, Refund
from payments.releases.reading import WaitingOrder, waiting_of_orders
from payments.releases.wording import waiting_words
from payments.snapshots import checkout_status
from payments.states import PAYMENT_ORDER
from payments.story import story_of, why_failed
from wallet.selectors import wallets_of

__all__ = ["admin_top_ups"]

_LOOKS = {
    "SUCCESS": "done",
    "AUTHORIZED": "done",
    "FAILED": "failed",
    "EXECUTING": "progress",
    "REQUIRES_ACTION": "waiting",
    "IN_REVIEW": "waiting",
    "NOT_STARTED": "neutral",
    "CANCELED": "over",
    "EXPIRED": "over",
    "CAPTURED": "done",
    "DECLINED": "failed",
    "CONFLICTED": "failed",
    "UNKNOWN": "waiting",
    "PENDING": "progress",
    "SUBMITTED": "progress",
    "REGISTERED": "progress",
    "CREATED": "neutral",
    "REQUESTED": "progress",
    "succeeded": "done",
    "partially_succeeded": "waiting",
    "authorized": "done",
    "failed": "failed",
    "processing": "progress",
    "requires_action": "waiting",
    "in_review": "waiting",
    "open": "neutral",
    "canceled": "over",
    "expired": "over",
}
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
        return queryset.filter(orders__status=value).distinct()


class _PaymentAdmin(MerchantColumn, PageAdmin):
    """What both lists have in common."""

    list_filter = (StatusFilter, TimeFilter, MerchantFilter)
    search_fields = ("id",)

    def prepare_rows(self, rows: Iterable[Any]) -> None:
        """The names of a whole page in one query."""
        rows = list(rows)
        self.name_merchants(rows)

    def find(
        self, queryset: QuerySet[Any], term: str, prefix: str, columns: tuple[str, ...]
    ) -> QuerySet[Any]:
        """Find by our id or by the store's, which is unique for a merchant."""
        if len(term) > _LONGEST or "\x00" in term:
            return queryset.none()
        if key := parse_public_id(term, prefix):
            return queryset.filter(pk=key)
        merchants = [each.id for each in list_merchants()]
        found = queryset.none()
        for column in columns:
            found = found | queryset.filter(merchant_id__in=merchants, **{column: term})
        return found


@register(PaymentEvent, site=site)
class CheckoutAdmin(_PaymentAdmin):
    """Checkouts; each opens on its story."""

    list_display = ("shown_id", "created_at", "shown_status", "checkout_id", "shown_merchant", "shown_total")
    search_help_text = gettext_lazy("A whole chk_… or chg_…, or the store's own checkout_id")
    empty_says = gettext_lazy("No store has asked for a payment yet.")
    page_template = "payments/checkout.html"

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
        return state(word, _LOOKS[word])

    @display(description=gettext_lazy("Amount"))
    def shown_total(self, row: Any) -> str:
        """The sum of its orders, by currency."""
        return format_html_join(
            " ", "{}", ((amount(minor, currency),) for currency, minor in _totals(row.shown_orders).items())
        )

    def page_title(self, row: Any) -> str:
        """Checkout, and the store's name for it."""
        return f"{_('Checkout')} · {row.checkout_id}"

    def page_context(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """State, reason, orders, charges, and the story."""
        charges = list(Charge.objects.filter(checkout=row).order_by("id"))
        operations = list(PspOperation.objects.filter(charge__in=charges).order_by("id"))
        word = checkout_status([order.status for order in row.shown_orders])
        return {
            "public_id": public_id("chk", row.pk),
            "status": state(word, _LOOKS[word]),
            "totals": [amount(minor, currency) for currency, minor in _totals(row.shown_orders).items()],
            "why": why_failed(orders=row.shown_orders, charges=charges, operations=operations),
            "orders": _orders(row.shown_orders, request),
            "refunds": _refunds(row) if request.user.has_perm("payments.view_refund") else [],
            "charges": [_charge(charge) for charge in charges],
            "parts": [_part(part) for part in _parts(row)],
            "cases": _cases(row, charges),
            "chapters": story_layout(
                story_of(merchant_id=row.merchant_id, checkout_id=row.pk),
                may_see_books=request.user.has_perm("ledger.view_journalentry"),
            ),
        }


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
        return queryset.filter(pk__gte=first_key(clock.now() - _RECENT), seller_account=term), False

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """An order's page is its checkout's."""
        self.only_look(request)
        row = self.get_object(request, object_id)
        if row is None:
            return redirect("admin:payments_paymentorder_changelist")
        return redirect("admin:payments_paymentevent_change", row.checkout_id)

    @display(description=gettext_lazy("Order"))
    def shown_id(self, row: Any) -> str:
        """Our id, which is the link to the checkout."""
        return _short(public_id("pay", row.pk))

    @display(description=gettext_lazy("Status"))
    def shown_status(self, row: Any) -> str:
        """The order's."""
        return state(row.status, _LOOKS[row.status])

    @display(description=gettext_lazy("Amount"))
    def shown_amount(self, row: Any) -> str:
        """What the seller asks for."""
        return amount(row.amount_minor, str(row.amount_currency))


def _short(whole: str) -> str:
    head, _separator, tail = whole.partition("_")
    return format_html('<span class="mono" title="{}">{}_…{}</span>', whole, head, tail[-6:])


def _totals(orders: Iterable[PaymentOrder]) -> dict[str, int]:
    totals: dict[str, int] = {}
    for order in orders:
        currency = str(order.amount_currency)
        totals[currency] = totals.get(currency, 0) + order.amount_minor
    return totals


def _may_see_wallets(request: HttpRequest) -> bool:
    return request.user.has_perm("wallet.view_wallet")


def _orders(orders: list[PaymentOrder], request: HttpRequest) -> list[dict[str, Any]]:
    releases = waiting_of_orders(order_ids=[order.pk for order in orders])
    return [_order(order, request) | _release(releases.get(order.pk)) for order in orders]


def _release(found: WaitingOrder | None) -> dict[str, Any]:
    """What of the seller's part was released, and what the rest waits for."""
    if found is None:
        return {"released": "", "waits": ""}
    return {"released": amount(found.released_minor, found.currency), "waits": waiting_words(found)}


def _order(order: PaymentOrder, request: HttpRequest) -> dict[str, Any]:
    currency, may_see = str(order.amount_currency), _may_see_wallets(request)
    may_refund = request.user.has_perm("payments.change_refund") and left_to_refund(order) > 0
    wallets = (
        wallets_of(merchant_id=order.merchant_id, owner_type="seller", owner_id=order.seller_id)
        if may_see and order.wallet_updated
        else []
    )
    return {
        "id": public_id("pay", order.pk),
        "payment_order_id": order.payment_order_id,
        "seller_account": order.seller_account,
        "amount": amount(order.amount_minor, currency),
        "authorized": amount(order.authorized_minor, currency),
        "capturable": amount(order.authorized_minor if order.status == "AUTHORIZED" else 0, currency),
        "captured": amount(order.captured_minor, currency),
        "refunded": amount(order.refunded_minor, currency),
        "pending": amount(order.refund_reserved_minor - order.refunded_minor, currency)
        if order.refund_reserved_minor > order.refunded_minor
        else "",
        "refund_url": reverse("console:refund-new", args=[public_id("pay", order.pk)]) if may_refund else "",
        "status": state(order.status, _LOOKS[order.status]),
        "wallets": [
            {
                "name": f"{each.currency} {each.kind}",
                "url": reverse("admin:wallet_wallet_change", args=[each.id]),
            }
            for each in wallets
            if each.currency == currency
        ],
    }


def _parts(row: PaymentEvent) -> list[BalancePart]:
    rows = BalancePart.objects.filter(order__checkout=row).select_related("order")
    return list(rows.order_by("order__position", "created_at", "position"))


def _part(part: BalancePart) -> dict[str, Any]:
    """What one of the buyer's wallets pays of an order."""
    word, look = (
        ("PAID", "done") if part.paid else ("RELEASED", "over") if part.released else ("HELD", "waiting")
    )
    points = _("%(n)s points") % {"n": part.units_minor} if part.kind == "points" else ""
    return {
        "order": part.order.payment_order_id,
        "kind": part.kind,
        "amount": amount(part.amount_minor, str(part.order.amount_currency)),
        "points": points,
        "state": state(word, look),
        "url": reverse("admin:wallet_wallet_change", args=[part.wallet_id]),
    }


def _refunds(row: PaymentEvent) -> list[dict[str, Any]]:
    found = Refund.objects.filter(lines__order__checkout=row).distinct().order_by("pk")
    return [
        {
            "id": public_id("re", each.pk),
            "url": reverse("console:refund", args=[public_id("re", each.pk)]),
            "amount": amount(each.amount_minor, str(each.amount_currency)),
            "status": state(each.status, _LOOKS[each.status]),
            "destination": each.destination,
            "reason": each.reason,
            "created_at": each.created_at,
        }
        for each in found
    ]


def _charge(charge: Charge) -> dict[str, Any]:
    subject = public_id("chg", charge.pk)
    return {
        "id": subject,
        "amount": amount(charge.amount_minor, str(charge.amount_currency)),
        "status": state(charge.status, _LOOKS[charge.status]),
        "method": charge.payment_method.replace("_", " "),
        "reference": charge.psp_reference or charge.session_reference or "",
        "desk_url": reverse("console:unknown-item", args=[subject]),
        "is_open": charge.status in ("UNKNOWN", "PENDING", "SUBMITTED", "CONFLICTED"),
        "capture_before": charge.capture_before if charge.status == "AUTHORIZED" else None,
        "capture_url": reverse("console:authorized-item", args=[subject]),
    }


def _refund_keys(row: PaymentEvent) -> list[UUID]:
    return list(Refund.objects.filter(lines__order__checkout=row).distinct().values_list("pk", flat=True))


def _cases(row: PaymentEvent, charges: list[Charge]) -> list[dict[str, Any]]:
    subjects = [public_id("chk", row.pk), *(public_id("chg", charge.pk) for charge in charges)]
    subjects += [public_id("re", key) for key in _refund_keys(row)]
    cases = list(Case.objects.filter(subject__in=subjects).exclude(status="CLOSED").order_by("pk"))
    name_people(cases, ("owner",))
    return [
        {
            "summary": case.summary,
            "owner": person(case, case.owner),
            "url": reverse("admin:core_case_change", args=[case.pk]),
        }
        for case in cases
    ]
