"""What the console's first page says of pay-out: what waits for a yes, is under way, or is in doubt."""

from django.db.models import Count, Sum
from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import digits
from core.overview import Card
from merchants.selectors import list_merchants
from payouts.models import Payout

__all__ = ["under_way_card", "waiting_card"]


def waiting_card() -> Card:
    """Payouts that wait for a second person."""
    count, value = _sum("IN_REVIEW")
    says = value or _("No payout waits for a second person.")
    look = "waiting" if count else "done"
    return Card(_("Payouts to approve"), str(count), says, look, reverse("console:payouts"))


def under_way_card() -> Card:
    """Payouts that were sent and are not known to have arrived, and those that may not even have left."""
    sent, sent_value = _sum("SENT")
    unknown, unknown_value = _sum("UNKNOWN")
    title, figure = _("Payouts under way"), str(sent + unknown)
    said = [_("In transit: %(value)s.") % {"value": sent_value}] if sent else []
    if unknown:
        doubt = _("In doubt: %(count)d, %(value)s.") % {"count": unknown, "value": unknown_value}
        return Card(title, figure, " ".join([doubt, *said]), "failed", reverse("console:payout-batches"))
    page = reverse("admin:payouts_payout_changelist") + "?status=SENT"
    return Card(title, figure, said[0] if said else _("Nothing is on its way."), "progress", page)


def _sum(status: str) -> tuple[int, str]:
    """How many payouts are in a state, and their amounts by currency."""
    merchants = [each.id for each in list_merchants()]  # By whom the index begins.
    rows = Payout.objects.filter(merchant_id__in=merchants, status=status).values("amount_currency")
    found = list(rows.order_by("amount_currency").annotate(count=Count("pk"), total=Sum("amount_minor")))
    values = [_value(int(each["total"]), each["amount_currency"]) for each in found]
    return sum(each["count"] for each in found), ", ".join(values)


def _value(total_minor: int, currency: str) -> str:
    return f"{digits(total_minor, currency)} {currency}"
