"""The buyer's page, the part of it that changes, and the place to which providers send the buyer back."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from core import clock
from core.ids import public_id
from core.transactions import at_edge
from payments.models import PaymentEvent, TopUp
from payments.pages.facts import PageFacts, PageOrder, find_payable, page_facts
from payments.pages.wording import amount, order_state, receiver, says, total
from payments.services import hurry_checkout, hurry_top_up

__all__ = ["come_back", "state", "status"]

_HEADERS = {
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex, nofollow",
    # The address of the page is what opens it: no other site is told.
    "Referrer-Policy": "no-referrer",
}
# Seconds between two looks of a page without scripts, while the last change is younger than so many seconds.
_REFRESH = ((120, 5), (900, 15))
_REFRESH_LATER = 60

Payable = PaymentEvent | TopUp
View = Callable[[HttpRequest, Payable], HttpResponse]


def _for_buyers(view: View) -> Callable[[HttpRequest, str], HttpResponse]:
    """Find what is paid, speak the buyer's language, and let nobody keep or index the answer."""

    @require_safe
    @wraps(view)
    def page(request: HttpRequest, reference: str) -> HttpResponse:
        with translation.override(translation.get_language_from_request(request)):
            payable = find_payable(reference)
            answer = view(request, payable) if payable else _unknown()
            answer.headers["Content-Language"] = translation.get_language() or ""
        patch_vary_headers(answer, ["Accept-Language"])
        for name, value in _HEADERS.items():
            answer.headers[name] = value
        return answer

    return page


def _unknown() -> HttpResponse:
    return HttpResponse(_render("pay/unknown.html", {}), status=HTTPStatus.NOT_FOUND)


@_for_buyers
def status(request: HttpRequest, payable: Payable) -> HttpResponse:
    """Show the whole page."""
    return HttpResponse(_render("pay/status.html", _context(page_facts(payable))))


@_for_buyers
def state(request: HttpRequest, payable: Payable) -> HttpResponse:
    """Show the part that changes, for the script of the page that is open."""
    return HttpResponse(_render("pay/state.html", _context(page_facts(payable))))


@_for_buyers
def come_back(request: HttpRequest, payable: Payable) -> HttpResponse:
    """Send the buyer on to the store, and ask the provider what happened.

    Whatever the address says about it is not even read: anybody can write an address.
    """
    if isinstance(payable, TopUp):
        at_edge(hurry_top_up)(top_up_id=payable.id)
    else:
        at_edge(hurry_checkout)(checkout_id=payable.id)
    place = _store_address(payable) or request.path.removesuffix("/return")
    return HttpResponse(status=HTTPStatus.SEE_OTHER, headers={"Location": place})


def _store_address(payable: Payable) -> str:
    """Return the store's own address with its own id of the checkout, or ours of the top-up, added."""
    if not payable.return_url.startswith(("https://", "http://")):
        return ""
    parts = urlsplit(payable.return_url)
    known = f"{parts.query}&" if parts.query else ""
    if isinstance(payable, TopUp):
        added = f"top_up={public_id('top', payable.id)}"
    else:
        added = f"checkout_id={quote(payable.checkout_id, safe='')}"
    return urlunsplit(parts._replace(query=f"{known}{added}"))


def _render(template: str, context: dict[str, Any]) -> str:
    return render_to_string(template, context | {"language": translation.get_language()})


def _context(facts: PageFacts) -> dict[str, Any]:
    return {
        "it": facts,
        "says": says(facts),
        "total": total(facts.orders),
        "orders": [_row(order) for order in facts.orders],
        "refresh": None if facts.is_final else _refresh(facts.changed_at),
    }


def _row(order: PageOrder) -> dict[str, str]:
    look, word = order_state(order)
    return {
        "seller": receiver(order),
        "amount": amount(order.amount_minor, order.currency),
        "look": look,
        "word": word,
        "refunded": amount(order.refunded_minor, order.currency) if order.refunded_minor else "",
        "refund_pending": (
            amount(order.refund_pending_minor, order.currency) if order.refund_pending_minor > 0 else ""
        ),
    }


def _refresh(since: datetime) -> int:
    age = (clock.now() - since).total_seconds()
    return next((seconds for limit, seconds in _REFRESH if age < limit), _REFRESH_LATER)
