"""Where the console shows what a line or a movement belongs to: a payment, a payout, a file, an entry."""

from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from console.desks.payables import payable_url
from core.ids import public_id
from payments.selectors import find_charge
from payouts.selectors import find_payout

__all__ = ["entry_url", "file_url", "line_url", "movement_links"]

_OUT = ("payout", "transfer")


def movement_links(*, kind: str, subject_id: UUID | None, clearing_key: str) -> list[dict[str, str]]:
    """Return the pages of a movement: its payment, refund or payout; none for what this person cannot find.

    All of pay-in clears under the key of its charge.
    """
    links = []
    if kind in _OUT and subject_id is not None:
        if find_payout(payout_id=subject_id) is not None:
            url = reverse("console:payout", args=[public_id("po", subject_id)])
            links.append({"says": _("The payout, from its request to the bank"), "url": url})
        return links
    if kind in ("refund", "refund_failure") and subject_id is not None:
        url = reverse("console:refund", args=[public_id("re", subject_id)])
        links.append({"says": _("The refund"), "url": url})
    charge = find_charge(charge_id=key) if (key := _uuid(clearing_key)) else None
    if charge is not None:
        url = payable_url(checkout_id=charge.checkout_id, top_up_id=charge.top_up_id)
        links.append({"says": _("The whole payment, step by step"), "url": url})
    return links


def file_url(file_id: UUID) -> str:
    """Return the page of a file."""
    return reverse("admin:reconciliation_settlementfile_change", args=[file_id])


def line_url(line_id: int) -> str:
    """Return the page that says what became of a line."""
    return reverse("console:line", args=[line_id])


def entry_url(entry_id: int | None) -> str:
    """Return the page of an entry of the books, empty where there is none."""
    return reverse("admin:ledger_journalentry_change", args=[entry_id]) if entry_id else ""


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
