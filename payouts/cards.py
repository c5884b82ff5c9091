"""What the console's first page says of pay-out: what is under way, or in doubt."""

from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import digits
from core.overview import Card
from payouts.open_values import values_in_state

__all__ = ["under_way_card"]


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
    none = _("Nothing is on its way.")
    return Card(title, figure, said[0] if said else none, "progress" if said else "done", page)


def _sum(status: str) -> tuple[int, str]:
    """How many payouts are in a state, and their amounts by currency."""
    found = values_in_state(status)
    values = [_value(minor, currency) for currency, _count, minor in found]
    return sum(count for _currency, count, _minor in found), ", ".join(values)


def _value(total_minor: int, currency: str) -> str:
    return f"{digits(total_minor, currency)} {currency}"
