"""Where in the console something is that is called so, by whomever."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from core.admin_display import amount
from core.errors import NotFound
from core.ids import public_id
from payments.selectors import FoundPayment, find_payments
from payouts.selectors import find_payouts
from reconciliation.selectors import find_breaks, line_at_desk

__all__ = ["Found", "find"]

_LONGEST = 255
_WHAT = {
    "order": gettext_lazy("Order"),
    "checkout": gettext_lazy("Checkout"),
    "charge": gettext_lazy("Payment by its charge"),
    "operation": gettext_lazy("Payment by an operation of it"),
    "refund": gettext_lazy("Payment by its refund"),
    "dispute": gettext_lazy("Payment by its dispute"),
    "top-up": gettext_lazy("Top-up"),
}


@dataclass(frozen=True)
class Found:
    """One page that is meant, and what is there."""

    url: str
    what: str
    says: str


def find(term: str, *, may: Callable[[str], bool]) -> list[Found]:
    """Return the pages of what has this name, as far as the person may see them; each page once.

    A name is one of ours (pay_…, chk_…, chg_…, op_…, re_…, dp_…, top_…, po_…, pob_…, dsc_…), the store's for
    a checkout or an order, the provider's for a payment, refund, dispute or payout, what a payout or a batch
    is called at the bank, the reference of a line that has a break, or the number of a line. `may` says
    whether the person has a right.
    """
    term = term.strip()
    if not term or len(term) > _LONGEST or "\x00" in term:
        return []
    found = [*_payments(term, may), *_payouts(term, may), *_files(term, may)]
    return list({each.url: each for each in reversed(found)}.values())[::-1]


def _payments(term: str, may: Callable[[str], bool]) -> Iterator[Found]:
    if not may("payments.view_paymentevent"):
        return
    for each in find_payments(term=term):
        if each.top_up_id is None or may("payments.view_topup"):
            yield Found(_page(each), str(_WHAT[each.what]), each.store_id)


def _page(each: FoundPayment) -> str:
    if each.order_id is not None:
        return reverse("console:payment", args=[public_id("pay", each.order_id)])
    if each.checkout_id is not None:
        return reverse("console:payment", args=[public_id("chk", each.checkout_id)])
    return reverse("admin:payments_topup_change", args=[each.top_up_id])


def _payouts(term: str, may: Callable[[str], bool]) -> Iterator[Found]:
    if not may("payouts.view_payout"):
        return
    for each in find_payouts(term=term):
        says = f"{each.seller_account} · {amount(each.amount_minor, each.currency)}"
        yield Found(reverse("console:payout", args=[each.public_id]), _("Payout"), says)


def _files(term: str, may: Callable[[str], bool]) -> Iterator[Found]:
    if not may("reconciliation.view_discrepancy"):
        return
    for each in find_breaks(term=term):
        yield Found(reverse("console:break", args=[each.public_id]), _("Break"), each.summary)
    if term.isascii() and term.isdigit() and len(term) < 19 and may("reconciliation.view_settlementfile"):
        try:
            line = line_at_desk(line_id=int(term))
        except NotFound:
            return
        says = f"{line.reference} · {line.file_name}"
        yield Found(reverse("console:line", args=[line.id]), _("Line of a file"), says)
