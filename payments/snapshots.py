"""The public shape of orders and checkouts: the same in answers, in events and on pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from core.ids import public_id
from core.money import format_minor
from payments.models import (
    Charge,
    Dispute,
    DisputeLine,
    PaymentEvent,
    PaymentMethodToken,
    PaymentOrder,
    Refund,
    RefundPart,
    TopUp,
)
from payments.states import ORDER_FINAL

__all__ = [
    "checkout_object",
    "checkout_status",
    "dispute_object",
    "is_final",
    "method_object",
    "moment",
    "order_object",
    "refund_object",
    "top_up_object",
]

POINTS = "PTS"


def moment(value: datetime | None) -> str | None:
    """Return RFC 3339 in UTC with milliseconds."""
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z") if value else None


def order_object(
    order: PaymentOrder, checkout: PaymentEvent, charge: Charge | None, channel_name: str | None
) -> dict[str, Any]:
    """Return the payment_order object; every field is always present."""
    currency = order.amount_currency

    def amount(minor: int) -> str:
        return format_minor(minor, currency)

    return {
        "object": "payment_order",
        "id": public_id("pay", order.id),
        "payment_order_id": order.payment_order_id,
        "checkout_id": checkout.checkout_id,
        "seller_account": order.seller_account,
        "amount": amount(order.amount_minor),
        "currency": currency,
        "payment_order_status": order.status,
        "authorized": amount(order.authorized_minor),
        "captured": amount(order.captured_minor),
        "capturable": amount(order.authorized_minor if order.status == "AUTHORIZED" else 0),
        "refunded": amount(order.refunded_minor),
        "refund_pending": amount(order.refund_reserved_minor - order.refunded_minor),
        "disputed": amount(order.dispute_reserved_minor),
        "reversed": amount(order.reversed_minor),
        "wallet_updated": order.wallet_updated,
        "ledger_updated": order.ledger_updated,
        "cancel_requested": order.cancel_requested_at is not None,
        "failure": order.failure,
        "psp": {"channel": channel_name, "reference": charge.psp_reference if charge else None},
        "created_at": moment(order.created_at),
        "updated_at": moment(order.updated_at),
    }


def checkout_object(
    checkout: PaymentEvent,
    orders: Sequence[PaymentOrder],
    charges: dict[Any, Charge],
    channel_names: dict[Any, str],
) -> dict[str, Any]:
    """Return the checkout object with its orders; `charges` by order id, `channel_names` by channel id."""
    shown = []
    for order in orders:
        charge = charges.get(order.id)
        shown.append(
            order_object(order, checkout, charge, channel_names.get(charge.channel_id) if charge else None)
        )
    return {
        "object": "checkout",
        "id": public_id("chk", checkout.id),
        "checkout_id": checkout.checkout_id,
        "status": checkout_status([order.status for order in orders]),
        "is_payment_done": checkout.is_payment_done,
        "is_final": is_final([order.status for order in orders]),
        "payment_method": checkout.payment_method,
        "next_action": _next_action(orders, charges),
        "payment_orders": shown,
        "risk": {"decision": checkout.risk_decision},
        "metadata": checkout.metadata,
        "created_at": moment(checkout.created_at),
        "expires_at": moment(checkout.expires_at),
    }


def refund_object(
    refund: Refund, order: PaymentOrder | None, parts: Sequence[RefundPart] = ()
) -> dict[str, Any]:
    """Return the refund object; without an order where the provider refunded several at once.

    `parts`, in order of payment, where it goes back to the wallets that paid.
    """
    return {
        "object": "refund",
        "id": public_id("re", refund.id),
        "payment_order_id": order.payment_order_id if order else None,
        "amount": format_minor(refund.amount_minor, refund.amount_currency),
        "currency": refund.amount_currency,
        "destination": refund.destination,
        "wallets": _wallets_back(refund, parts),
        "status": refund.status,
        "failure": refund.failure,
        "reason": refund.reason or None,
        "metadata": refund.metadata,
        "created_at": moment(refund.created_at),
    }


def _wallets_back(refund: Refund, parts: Sequence[RefundPart]) -> list[dict[str, Any]]:
    """What each wallet gets back: in its own units, and what they are worth in the refund's currency."""
    currency = str(refund.amount_currency)
    sums: dict[UUID, tuple[int, int]] = {}
    kinds: dict[UUID, str] = {}
    for part in parts:
        wallet_id = part.balance_part.wallet_id
        kinds[wallet_id] = part.balance_part.kind
        units, worth = sums.get(wallet_id, (0, 0))
        sums[wallet_id] = (units + part.units_minor, worth + part.amount_minor)
    shown = []
    for wallet_id, (units, worth) in sums.items():
        unit = POINTS if kinds[wallet_id] == "points" else currency
        shown.append(
            {
                "wallet": public_id("wal", wallet_id),
                "kind": kinds[wallet_id],
                "amount": format_minor(units, unit),
                "currency": unit,
                "worth": format_minor(worth, currency),
            }
        )
    return shown


def dispute_object(
    dispute: Dispute, lines: Sequence[DisputeLine], orders: Mapping[UUID, PaymentOrder]
) -> dict[str, Any]:
    """Return the dispute object; `orders` are those of its lines, by their ids."""
    currency = dispute.currency
    return {
        "object": "dispute",
        "id": public_id("dp", dispute.id),
        "status": dispute.status,
        "reason": dispute.reason or None,
        "network_reason_code": dispute.network_reason_code or None,
        "amount": format_minor(dispute.amount_minor, currency),
        "fee": format_minor(dispute.fee_minor, currency),
        "currency": currency,
        "payment_orders": [
            {
                "payment_order_id": orders[line.order_id].payment_order_id,
                "amount": format_minor(line.amount_minor, currency),
            }
            for line in lines
        ],
        "evidence_due_at": moment(dispute.evidence_due_at),
        "evidence_sent_at": moment(dispute.evidence_sent_at),
        "psp_reference": dispute.psp_reference,
        "opened_at": moment(dispute.opened_at),
        "created_at": moment(dispute.created_at),
    }


def method_object(method: PaymentMethodToken, buyer_account: str) -> dict[str, Any]:
    """Return the payment_method object: what a buyer recognises it by, and nothing to charge it with."""
    return {
        "object": "payment_method",
        "id": public_id("saved", method.id),
        "buyer_account": buyer_account,
        "brand": method.brand or None,
        "last4": method.last4 or None,
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "wallet": method.wallet or None,
        "created_at": moment(method.created_at),
    }


def top_up_object(top_up: TopUp, charge: Charge | None, channel_name: str | None) -> dict[str, Any]:
    """Return the top_up object; every field is always present."""
    currency = top_up.amount_currency
    url = charge.redirect_url if charge and top_up.status == "REQUIRES_ACTION" else ""
    return {
        "object": "top_up",
        "id": public_id("top", top_up.id),
        "wallet": public_id("wal", top_up.wallet_id),
        "buyer_account": top_up.buyer_account,
        "amount": format_minor(top_up.amount_minor, currency),
        "currency": currency,
        "top_up_status": top_up.status,
        "payment_method": top_up.payment_method,
        "next_action": {"type": "redirect_to_url", "url": url} if url else None,
        "available": top_up.available,
        "available_at": moment(top_up.available_at),
        "refunded": format_minor(top_up.refunded_minor, currency),
        "reversed": format_minor(top_up.reversed_minor, currency),
        "failure": top_up.failure,
        "psp": {"channel": channel_name, "reference": charge.psp_reference if charge else None},
        "risk": {"decision": top_up.risk_decision},
        "created_at": moment(top_up.created_at),
        "expires_at": moment(top_up.expires_at),
        "updated_at": moment(top_up.updated_at),
    }


def checkout_status(statuses: Sequence[str]) -> str:
    """Return the status of the whole: the first rule that holds."""
    have = set(statuses)
    if have == {"NOT_STARTED"}:
        return "open"
    for state, shown in (("IN_REVIEW", "in_review"), ("REQUIRES_ACTION", "requires_action")):
        if state in have:
            return shown
    if have & {"EXECUTING", "NOT_STARTED"}:
        return "processing"
    if "AUTHORIZED" in have:
        return "authorized"
    if "SUCCESS" in have:
        return "succeeded" if have == {"SUCCESS"} else "partially_succeeded"
    if len(have) == 1:
        return {"CANCELED": "canceled", "EXPIRED": "expired"}.get(have.pop(), "failed")
    return "failed"


def is_final(statuses: Sequence[str]) -> bool:
    """Say whether the store may stop waiting."""
    return all(status in ORDER_FINAL for status in statuses)


def _next_action(orders: Sequence[PaymentOrder], charges: dict[Any, Charge]) -> dict[str, str] | None:
    """The buyer's next step: that of the first order, in the order of the request, that needs one."""
    for order in orders:
        charge = charges.get(order.id)
        if order.status == "REQUIRES_ACTION" and charge and charge.redirect_url:
            return {"type": "redirect_to_url", "url": charge.redirect_url}
    return None
