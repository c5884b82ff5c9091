"""What the buyer's page is made of. Nothing of the buyer is read, so nothing of the buyer can be shown."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from core.ids import parse_public_id, public_id
from merchants.selectors import get_merchant, sellers_by_account
from payments.models import Charge, ChargeLine, PaymentEvent, PaymentOrder, TopUp
from payments.snapshots import checkout_status, is_final

__all__ = ["PageFacts", "PageOrder", "find_payable", "page_facts"]


@dataclass(frozen=True)
class PageOrder:
    """One seller's part, or a top-up, which has no seller; amounts in minor units of `currency`."""

    seller_name: str
    amount_minor: int
    currency: str
    status: str
    refunded_minor: int
    refund_pending_minor: int
    is_disputed: bool
    failure_code: str


@dataclass(frozen=True)
class PageFacts:
    """One checkout, or a top-up as if it were one with an order to the buyer's own wallet."""

    reference: str
    status: str
    is_final: bool
    is_test: bool
    merchant_name: str
    payment_method: str
    orders: tuple[PageOrder, ...]
    continue_url: str
    has_store: bool
    is_closing: bool
    has_late_money: bool
    started_at: datetime
    changed_at: datetime
    expires_at: datetime


def find_payable(reference: str) -> PaymentEvent | TopUp | None:
    """Return the checkout of a chk_… id, or the top-up of a top_… id.

    The store's own id opens nothing: it could be guessed.
    """
    if key := parse_public_id(reference, "chk"):
        return PaymentEvent.objects.filter(id=key).first()
    if key := parse_public_id(reference, "top"):
        return TopUp.objects.filter(id=key).first()
    return None


def page_facts(payable: PaymentEvent | TopUp) -> PageFacts:
    """Return what its page shows, as the database knows it now."""
    return _of_top_up(payable) if isinstance(payable, TopUp) else _of_checkout(payable)


def _of_top_up(top_up: TopUp) -> PageFacts:
    charge = Charge.objects.filter(top_up=top_up).first()
    merchant = get_merchant(merchant_id=top_up.merchant_id)
    order = PageOrder(
        seller_name="",
        amount_minor=top_up.amount_minor,
        currency=str(top_up.amount_currency),
        status=top_up.status,
        refunded_minor=0,
        refund_pending_minor=0,
        is_disputed=False,
        failure_code=(top_up.failure or {}).get("code", ""),
    )
    is_open = charge is not None and top_up.status == "REQUIRES_ACTION"
    return PageFacts(
        reference=public_id("top", top_up.id),
        status=checkout_status([top_up.status]),
        is_final=is_final([top_up.status]),
        is_test=merchant.mode == "test",
        merchant_name=merchant.name,
        payment_method=top_up.payment_method,
        orders=(order,),
        continue_url=_web_address(charge.redirect_url) if charge and is_open else "",
        has_store=bool(_web_address(top_up.return_url)),
        is_closing=False,
        has_late_money=bool(charge and charge.status == "CAPTURED" and top_up.status != "SUCCESS"),
        started_at=top_up.created_at,
        changed_at=top_up.updated_at,
        expires_at=top_up.expires_at,
    )


def _of_checkout(checkout: PaymentEvent) -> PageFacts:
    orders = list(PaymentOrder.objects.filter(checkout=checkout).order_by("position"))
    lines = list(ChargeLine.objects.filter(order__in=orders).select_related("charge").order_by("live", "id"))
    accounts = {order.seller_account for order in orders}
    sellers = sellers_by_account(merchant_id=checkout.merchant_id, accounts=accounts)
    merchant = get_merchant(merchant_id=checkout.merchant_id)
    statuses = [order.status for order in orders]
    return PageFacts(
        reference=public_id("chk", checkout.id),
        status=checkout_status(statuses),
        is_final=is_final(statuses),
        is_test=merchant.mode == "test",
        merchant_name=merchant.name,
        payment_method=checkout.payment_method,
        orders=tuple(_order(order, sellers[order.seller_account].name) for order in orders),
        continue_url=_continue_url(orders, lines),
        has_store=bool(_web_address(checkout.return_url)),
        is_closing=any(order.cancel_requested_at for order in orders),
        has_late_money=any(line.superseded for line in lines),
        started_at=checkout.created_at,
        changed_at=max(order.updated_at for order in orders),
        expires_at=checkout.expires_at,
    )


def _order(order: PaymentOrder, seller_name: str) -> PageOrder:
    return PageOrder(
        seller_name=seller_name,
        amount_minor=order.captured_minor or order.amount_minor,  # A part may be all that was taken.
        currency=order.amount_currency,
        status=order.status,
        refunded_minor=order.refunded_minor,
        refund_pending_minor=order.refund_reserved_minor - order.refunded_minor,
        is_disputed=order.dispute_reserved_minor > 0,
        failure_code=(order.failure or {}).get("code", ""),
    )


def _continue_url(orders: list[PaymentOrder], lines: list[ChargeLine]) -> str:
    """Where the buyer does the next step: that of the first order that needs one."""
    current: dict[UUID, ChargeLine] = {line.order_id: line for line in lines}
    for order in orders:
        if order.status == "REQUIRES_ACTION" and (line := current.get(order.id)):
            return _web_address(line.charge.redirect_url)
    return ""


def _web_address(url: str) -> str:
    """Only a plain web address becomes a link, whoever wrote it into the row."""
    return url if url.startswith(("https://", "http://")) else ""
