"""A payment on one page: why it failed, its facts, and its timeline from the request to the bank."""

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from console.frame import require, show
from console.timeline.chapters import timeline
from core.ids import public_id
from payments.selectors import find_payments, payment_page, story_layout

__all__ = ["payment"]

_SEE = "payments.view_paymentevent"
_PREFIXES = ("chk_", "pay_")


def payment(request: HttpRequest, reference: str) -> HttpResponse:
    """Show the checkout of a chk_… id; or, of a pay_… id, its checkout with the timeline of that order."""
    require(request, _SEE)
    found = find_payments(term=reference) if reference.startswith(_PREFIXES) else []
    if not found or found[0].checkout_id is None:
        raise Http404
    checkout_id, order_id = found[0].checkout_id, found[0].order_id
    facts = payment_page(request, checkout_id=checkout_id, order_id=order_id)
    if facts is None:
        raise Http404
    may = request.user.has_perm
    chapters = timeline(
        merchant_id=facts["row"].merchant_id, checkout_id=checkout_id, order_id=order_id, may=may
    )
    shown = {
        **facts,
        "order_id": public_id("pay", order_id) if order_id else "",
        "checkout_url": reverse("console:payment", args=[facts["public_id"]]),
        "chapters": story_layout(chapters, may=may),
    }
    title = f"{_('Checkout')} · {facts['row'].checkout_id}"
    return show(request, "console/payment.html", title, shown)
