"""What our own records say about a disputed payment: as fields of the answer, and as a document."""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from core import clock
from core.ids import public_id
from core.models import StatusChange
from core.money import format_minor
from core.pdf_text import BOLD, SANS, cut_to, draw, width
from payments.engine.disputes.locks import DisputeScope
from payments.engine.payables import description_of
from payments.models import DisputeEvidence, PspOperation, RefundLine

__all__ = ["case_file", "known_texts"]

_LEFT, _TOP, _BOTTOM = 50, 790, 60
_WIDTH = A4[0] - 2 * _LEFT
_LINE = 13
_MOST_STEPS = 60


def known_texts(scope: DisputeScope) -> dict[str, str]:
    """Return what the buyer told at the checkout and what was bought, by the names of an answer."""
    info: dict[str, Any] = scope.charge.payable.buyer_info or {}
    found = {
        "customer_name": info.get("name"),
        "customer_email_address": info.get("email"),
        "customer_purchase_ip": info.get("ip"),
        "billing_address": _address(info.get("billing_address")),
        "shipping_address": _address(info.get("shipping_address")),
        "product_description": _what_was_bought(scope),
    }
    refunded = _refunds(scope)
    if refunded:
        found["refund_refusal_explanation"] = "Already given back: " + "; ".join(refunded)
    return {name: text[:5000] for name, text in found.items() if isinstance(text, str) and text.strip()}


def case_file(scope: DisputeScope, evidence: Sequence[DisputeEvidence]) -> bytes:
    """Return the case as a PDF: the dispute, the orders, the buyer, what happened when, and the answer.

    It is made once and kept, so that every try sends the same bytes.
    """
    target = io.BytesIO()
    page = _Pages(Canvas(target, pagesize=A4, invariant=True))
    dispute, payable = scope.dispute, scope.charge.payable
    page.title(f"Dispute {dispute.psp_reference}")
    page.facts(
        [
            ("Our reference", public_id("dp", dispute.id)),
            ("Amount", f"{format_minor(dispute.amount_minor, dispute.currency)} {dispute.currency}"),
            ("Reason", f"{dispute.reason} {dispute.network_reason_code}".strip()),
            ("Opened", _time(dispute.opened_at)),
            ("Payment", scope.charge.charge.psp_reference or ""),
            ("Paid for", description_of(payable)),
            ("Accepted", _time(payable.created_at)),
        ]
    )
    if scope.charge.orders:
        page.heading("Orders")
    for order in scope.charge.orders:
        amount = format_minor(order.amount_minor, order.amount_currency)
        page.text(
            f"{order.payment_order_id}: {amount} {order.amount_currency}, seller {order.seller_account}"
        )
    refunded = _refunds(scope)
    if refunded:
        page.heading("Refunds")
        for line in refunded:
            page.text(line)
    page.heading("Answer")
    for each in evidence:
        shown = each.text or f"attached: {each.file_name} ({each.size} bytes)"
        page.fact(each.field.replace("_", " "), shown)
    page.heading("What happened")
    for line in _timeline(scope):
        page.text(line)
    page.end(f"Made {_time(clock.now())} from the records of the payment system.")
    return target.getvalue()


def _what_was_bought(scope: DisputeScope) -> str:
    top_up = scope.charge.top_up
    if top_up is not None:
        amount = format_minor(top_up.amount_minor, str(top_up.amount_currency))
        return (
            f"{description_of(top_up)}: {amount} {top_up.amount_currency} for the wallet of"
            f" {top_up.buyer_account}"
        )
    parts = [
        f"{order.payment_order_id} of {order.seller_account}"
        f" ({format_minor(order.amount_minor, order.amount_currency)} {order.amount_currency})"
        for order in scope.charge.orders
    ]
    return "Orders: " + ", ".join(parts)


def _refunds(scope: DisputeScope) -> list[str]:
    rows = RefundLine.objects.filter(order__in=scope.charge.orders, refund__status="SUCCESS")
    return [
        f"{format_minor(line.amount_minor, line.refund.amount_currency)} {line.refund.amount_currency} of"
        f" {line.order.payment_order_id} on {_time(line.refund.succeeded_at)},"
        f" {line.refund.psp_reference or 'to the buyer’s wallet'}"
        for line in rows.select_related("refund", "order").order_by("id")
    ]


def _timeline(scope: DisputeScope) -> list[str]:
    charge = scope.charge.charge
    names = {charge.id: "payment"} | {
        order.id: f"order {order.payment_order_id}" for order in scope.charge.orders
    }
    kinds = PspOperation.objects.filter(charge=charge).values_list("id", "kind")
    names |= {key: f"request: {kind}" for key, kind in kinds}
    changes = StatusChange.objects.filter(subject_id__in=list(names)).order_by("id")[:_MOST_STEPS]
    return [
        f"{_time(each.occurred_at)}  {names[each.subject_id]}: {each.to_state.replace('_', ' ').lower()}"
        for each in changes
    ]


def _address(value: Any) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    return ", ".join(str(each) for each in value.values() if isinstance(each, str) and each) or json.dumps(
        value
    )


def _time(at: Any) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC") if at else ""


class _Pages:
    """Text down a page, and on to the next one."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas: Canvas = canvas
        self._y: int = _TOP

    def title(self, text: str) -> None:
        draw(self._canvas, _LEFT, self._y, cut_to(_WIDTH, text, size=16), size=16, font=BOLD)
        self._y -= 26

    def heading(self, text: str) -> None:
        self._room(3 * _LINE)
        self._y -= 8
        draw(self._canvas, _LEFT, self._y, text, size=11, font=BOLD)
        self._y -= _LINE + 3

    def facts(self, pairs: Iterable[tuple[str, str]]) -> None:
        for name, value in pairs:
            self.fact(name, value)

    def fact(self, name: str, value: str) -> None:
        self._room(_LINE)
        draw(self._canvas, _LEFT, self._y, cut_to(150, name, size=9), size=9)
        for line in _wrapped(value, _WIDTH - 160):
            self._room(_LINE)
            draw(self._canvas, _LEFT + 160, self._y, line, size=9)
            self._y -= _LINE

    def text(self, text: str) -> None:
        for line in _wrapped(text, _WIDTH):
            self._room(_LINE)
            draw(self._canvas, _LEFT, self._y, line, size=9)
            self._y -= _LINE

    def end(self, foot: str) -> None:
        draw(self._canvas, _LEFT, _BOTTOM - 20, cut_to(_WIDTH, foot, size=8), size=8)
        self._canvas.save()

    def _room(self, height: int) -> None:
        if self._y - height < _BOTTOM:
            self._canvas.showPage()
            self._y = _TOP


def _wrapped(text: str, room: float) -> Iterator[str]:
    """Yield the text in lines that fit."""
    line = ""
    for word in text.split() or [""]:
        longer = f"{line} {word}".strip()
        if line and width(longer, size=9, font=SANS) > room:
            yield cut_to(room, line, size=9)
            line = word
        else:
            line = longer
    yield cut_to(room, line, size=9)
