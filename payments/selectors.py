"""How others read pay-in; everything is reached through the caller's merchant."""

from collections.abc import Sequence
from heapq import merge
from typing import Any
from uuid import UUID

from django.db.models import Q

from channels.selectors import get_channel
from core.api.pagination import Page
from core.errors import NotFound
from core.models import StatusChange
from core.story import Chapter, Step
from merchants.selectors import find_buyer
from payments.checkout_page import payment_page
from payments.dispute_lists import get_dispute, list_disputes
from payments.engine.balance import parts_of_order
from payments.engine.conflicts import ACTION as CONFLICT_ACTION
from payments.engine.conflicts import End as ConflictEnd
from payments.engine.denials import what_denial_takes
from payments.engine.disposal_requests import DISPOSALS, Disposal
from payments.engine.disputes.desk import ACTIONS as DISPUTE_ACTIONS
from payments.engine.disputes.outline import DisputeCase, dispute_case, disputes_to_answer
from payments.engine.evidence import HeldPayment, held_payment, payment_briefs
from payments.engine.methods import method_offers
from payments.engine.outline import ChargeData, ExpectedShare, expected_shares, find_charge
from payments.engine.receipts import what_receipt_pays
from payments.engine.refunds.reviews import ACTION as REFUND_ACTION
from payments.engine.reserved import Reserved, reserved
from payments.engine.stuck import KINDS as WAITING_KINDS
from payments.engine.stuck import Waiting, values_waiting, waiting
from payments.entry_sources import SOURCES as PAYMENT_SOURCES
from payments.entry_sources import PaymentBehind, payment_behind
from payments.layout import story_layout
from payments.models import (
    BalancePart,
    ChargeLine,
    DisputeLine,
    PaymentEvent,
    PaymentMethodToken,
    PaymentOrder,
    PspOperation,
    RefundLine,
)
from payments.order_lists import current_lines, list_payment_orders
from payments.outcome_counts import outcomes_by_hour
from payments.references import by_reference
from payments.refund_desk import (
    RefundableOrder,
    RefundData,
    RefundPart,
    WalletBack,
    find_refund,
    find_refundable,
    needs_two_people,
    refunds_at_desk,
)
from payments.refund_lists import get_refund, list_refunds
from payments.releases.reading import WaitingOrder, release_steps, waiting_of_orders, waiting_of_seller
from payments.releases.wording import waiting_words
from payments.seller_sales import SalesOfQuarter, sales_of_sellers
from payments.snapshots import checkout_object, method_object, moment, order_object
from payments.story import refund_story, story_of, top_up_story
from payments.telling.finding import FoundPayment, find_payments
from payments.telling.parts import PaymentParts, SellersPart, parts_of_payment
from payments.top_up_lists import get_top_up, list_top_ups, top_up_as_started

__all__ = [
    "CONFLICT_ACTION",
    "DISPOSALS",
    "DISPUTE_ACTIONS",
    "MOVEMENTS",
    "PAYMENT_SOURCES",
    "REFUND_ACTION",
    "WAITING_KINDS",
    "Chapter",
    "ChargeData",
    "ConflictEnd",
    "Disposal",
    "DisputeCase",
    "ExpectedShare",
    "FoundPayment",
    "HeldPayment",
    "PaymentBehind",
    "PaymentParts",
    "RefundData",
    "RefundPart",
    "RefundableOrder",
    "Reserved",
    "SalesOfQuarter",
    "SellersPart",
    "Step",
    "Waiting",
    "WaitingOrder",
    "WalletBack",
    "checkout_as_accepted",
    "dispute_case",
    "disputes_to_answer",
    "expected_shares",
    "find_charge",
    "find_payments",
    "find_refund",
    "find_refundable",
    "get_checkout",
    "get_dispute",
    "get_payment_order",
    "get_refund",
    "get_top_up",
    "held_payment",
    "list_disputes",
    "list_payment_methods",
    "list_payment_orders",
    "list_refunds",
    "list_top_ups",
    "method_offers",
    "needs_two_people",
    "outcomes_by_hour",
    "parts_of_order",
    "parts_of_payment",
    "payment_behind",
    "payment_briefs",
    "payment_page",
    "refund_story",
    "refunds_at_desk",
    "reserved",
    "sales_of_sellers",
    "story_layout",
    "story_of",
    "top_up_as_started",
    "top_up_story",
    "values_waiting",
    "waiting",
    "waiting_of_orders",
    "waiting_of_seller",
    "waiting_words",
    "what_denial_takes",
    "what_receipt_pays",
]

# The view of what a provider's balance must show of pay-in, for set-based work: payments/sql/movements.sql
# says what its columns are.
MOVEMENTS = "payments_movement"


def get_payment_order(*, merchant_id: UUID, reference: str) -> dict[str, Any]:
    """Return one payment_order object with its timeline. Raises NotFound, also for another merchant's."""
    order = (
        PaymentOrder.objects.filter(
            merchant_id=merchant_id, **by_reference(reference, "pay", "payment_order_id")
        )
        .select_related("checkout")
        .first()
    )
    if order is None:
        raise NotFound()
    line = current_lines([order.id]).get(order.id)
    charge = line.charge if line else None
    name = get_channel(channel_id=charge.channel_id).name if charge else None
    return order_object(order, order.checkout, charge, name) | {"timeline": _timeline(order)}


def get_checkout(*, merchant_id: UUID, reference: str) -> dict[str, Any]:
    """Return one checkout object with its orders. Raises NotFound, also for another merchant's."""
    checkout = PaymentEvent.objects.filter(
        merchant_id=merchant_id, **by_reference(reference, "chk", "checkout_id")
    ).first()
    if checkout is None:
        raise NotFound()
    orders = list(PaymentOrder.objects.filter(checkout=checkout).order_by("position"))
    lines = current_lines([order.id for order in orders])
    charges = {order_id: line.charge for order_id, line in lines.items()}
    names = {charge.channel_id: get_channel(channel_id=charge.channel_id).name for charge in charges.values()}
    return checkout_object(checkout, orders, charges, names)


def checkout_as_accepted(*, checkout: PaymentEvent, orders: Sequence[PaymentOrder]) -> dict[str, Any]:
    """Return the checkout object of a checkout that was just accepted, without another query."""
    return checkout_object(checkout, orders, {}, {})


def list_payment_methods(
    *, merchant_id: UUID, buyer_account: str, limit: int, after: UUID | None = None
) -> Page[dict[str, Any]]:
    """Return one page of payment_method objects, newest first; none for a buyer who is not known."""
    try:
        buyer = find_buyer(merchant_id=merchant_id, reference=buyer_account)
    except NotFound:
        return Page(items=[], last=None)
    rows = PaymentMethodToken.objects.filter(
        merchant_id=merchant_id, buyer_id=buyer.id, deleted_at__isnull=True
    )
    if after is not None:
        rows = rows.filter(pk__lt=after)
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = [method_object(row, buyer.buyer_account) for row in found[:limit]]
    return Page(items=shown, last=found[limit - 1].pk if len(found) > limit else None)


def _timeline(order: PaymentOrder) -> list[dict[str, Any]]:
    """What happened to the order, its charges, refunds and releases, and to what was held for it.

    In the order in which we learned it.
    """
    charges = list(ChargeLine.objects.filter(order=order).values_list("charge_id", flat=True))
    refunds = list(RefundLine.objects.filter(order=order).values_list("refund_id", flat=True))
    operations = dict(
        PspOperation.objects.filter(
            Q(refund=None) | Q(refund_id__in=refunds), charge_id__in=charges
        ).values_list("id", "kind")
    )
    holds = BalancePart.objects.filter(order=order).values_list("hold_id", "kind")
    names = {order.id: "payment_order"} | dict.fromkeys(charges, "charge") | dict.fromkeys(refunds, "refund")
    names |= {key: f"hold.{kind}" for key, kind in holds}
    names |= {key: f"operation.{kind}" for key, kind in operations.items()}
    disputed = DisputeLine.objects.filter(order=order).values_list("dispute_id", flat=True)
    names |= dict.fromkeys(disputed, "dispute")
    changes = StatusChange.objects.filter(subject_id__in=list(names)).order_by("id")
    moved = [
        (
            change.recorded_at,
            {
                "at": moment(change.occurred_at),
                "what": names[change.subject_id],
                "from": change.from_state or None,
                "to": change.to_state,
                "reason": change.reason,
                "actor": change.actor,
            },
        )
        for change in changes
    ]
    # Each is in its order already: only where the releases stand among the changes goes by time.
    return [step for _, step in merge(moved, release_steps(order), key=lambda each: each[0])]
