"""What the console shows of one checkout above its story: its state, its orders and what moved money."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import amount, name_people, person, state
from core.ids import public_id
from core.models import Case
from merchants.selectors import merchant_names
from payments.engine.refunds.shares import left_to_refund
from payments.models import BalancePart, Charge, PaymentEvent, PaymentOrder, Refund
from payments.releases.reading import WaitingOrder, waiting_of_orders
from payments.releases.wording import waiting_words
from payments.snapshots import checkout_status
from payments.telling.parts import rows_of_payment
from payments.telling.why import why
from wallet.selectors import wallets_of

__all__ = ["LOOKS", "payment_page", "totals"]

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


def payment_page(
    request: HttpRequest, *, checkout_id: UUID, order_id: UUID | None = None
) -> dict[str, Any] | None:
    """Return what the page of a checkout shows to this person; None if it is unknown.

    With `order_id`, what is told beside the facts is that order's: why it failed.
    """
    row = PaymentEvent.objects.filter(pk=checkout_id).first()
    if row is None:
        return None
    whole = rows_of_payment(checkout=row)
    told = rows_of_payment(checkout=row, order_id=order_id) if order_id else whole
    word = checkout_status([order.status for order in whole.orders])
    return {
        "row": row,
        "public_id": public_id("chk", row.pk),
        "merchant_name": merchant_names(merchant_ids=[row.merchant_id]).get(row.merchant_id, ""),
        "status": state(word, LOOKS[word]),
        "totals": [amount(minor, currency) for currency, minor in totals(whole.orders).items()],
        "whys": why(
            orders=told.orders,
            charges=told.charges,
            operations=told.operations,
            refunds=told.refunds,
            disputes=told.disputes,
        ),
        "orders": _orders(whole.orders, request),
        "refunds": _refunds(whole.refunds) if request.user.has_perm("payments.view_refund") else [],
        "charges": [_charge(charge) for charge in whole.charges],
        "parts": [_part(part) for part in _parts(row)],
        "cases": _cases(row, whole.charges, whole.refunds),
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
        "url": reverse("console:payment", args=[public_id("pay", order.pk)]),
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


def _refunds(found: list[Refund]) -> list[dict[str, Any]]:
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


def _cases(row: PaymentEvent, charges: list[Charge], refunds: list[Refund]) -> list[dict[str, Any]]:
    subjects = [public_id("chk", row.pk), *(public_id("chg", charge.pk) for charge in charges)]
    subjects += [public_id("re", refund.pk) for refund in refunds]
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
