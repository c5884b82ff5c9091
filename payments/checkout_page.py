"""The page of one checkout in the console: its state, its orders, what moved money, and the story."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import amount, name_people, person, state
from core.ids import public_id
from core.models import Case
from payments.engine.refunds.shares import left_to_refund
from payments.layout import story_layout
from payments.models import BalancePart, Charge, PaymentEvent, PaymentOrder, PspOperation, Refund
from payments.releases.reading import WaitingOrder, waiting_of_orders
from payments.releases.wording import waiting_words
from payments.snapshots import checkout_status
from payments.story import story_of, why_failed
from wallet.selectors import wallets_of

__all__ = ["LOOKS", "page_facts", "totals"]

# How each state of a payment looks: see core.admin_display.state.
LOOKS = {
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


def page_facts(row: Any, request: HttpRequest) -> dict[str, Any]:
    """Return what the page of a checkout shows to this person; `row` carries its `shown_orders`."""
    charges = list(Charge.objects.filter(checkout=row).order_by("id"))
    operations = list(PspOperation.objects.filter(charge__in=charges).order_by("id"))
    word = checkout_status([order.status for order in row.shown_orders])
    return {
        "public_id": public_id("chk", row.pk),
        "status": state(word, LOOKS[word]),
        "totals": [amount(minor, currency) for currency, minor in totals(row.shown_orders).items()],
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


def totals(orders: Iterable[PaymentOrder]) -> dict[str, int]:
    """Return what orders ask for together, in minor units by currency."""
    sums: dict[str, int] = {}
    for order in orders:
        currency = str(order.amount_currency)
        sums[currency] = sums.get(currency, 0) + order.amount_minor
    return sums


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
        "status": state(order.status, LOOKS[order.status]),
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
            "status": state(each.status, LOOKS[each.status]),
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
        "status": state(charge.status, LOOKS[charge.status]),
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
