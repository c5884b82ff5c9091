"""What the console's first page says of pay-out: what waits for a yes, is under way, or is in doubt."""

from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import digits
from core.overview import Card
from merchants.selectors import list_merchants
from payouts.models import Payout

__all__ = ["in_transit_card", "unknown_card", "waiting_card"]


def waiting_card() -> Card:
    """Payouts that wait for a second person."""
    return _card(
        _("Payouts to approve"),
        "IN_REVIEW",
        _("No payout waits for a second person."),
        "waiting",
        reverse("console:payouts"),
    )


def in_transit_card() -> Card:
    """Payouts that were sent, of which nobody has said yet that they arrived."""
    page = reverse("admin:payouts_payout_changelist")
    return _card(
        _("Payouts in transit"), "SENT", _("Nothing is on its way."), "progress", f"{page}?status=SENT"
    )


def unknown_card() -> Card:
    """Payouts that may or may not have left."""
    return _card(
        _("Payouts in doubt"),
        "UNKNOWN",
        _("It is known of every payout whether it left."),
        "failed",
        reverse("console:payout-batches"),
    )


def _card(title: str, status: str, none: str, look: str, url: str) -> Card:
    merchants = [each.id for each in list_merchants()]  # By whom the index begins.
    rows = (
        Payout.objects.filter(merchant_id__in=merchants, status=status)
        .values("amount_currency")
        .order_by("amount_currency")
    )
    found = list(rows.annotate(count=Count("pk"), total=Sum("amount_minor")))
    values = [
        f"{digits(int(each['total']), each['amount_currency'])} {each['amount_currency']}" for each in found
    ]
    count = sum(each["count"] for each in found)
    return Card(title, str(count), ", ".join(values) or none, look if count else "done", url)


def _value(total_minor: int, currency: str) -> str:
    return f"{digits(total_minor, currency)} {currency}"
