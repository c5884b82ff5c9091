"""What the console's first page says of payments."""

from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.admin_display import amount
from core.overview import Card, case_card
from payments.engine.stuck import values_waiting

__all__ = ["reviews_card", "unknown_card"]


def unknown_card() -> Card:
    """How many payments have no outcome, and how much is at risk."""
    found = values_waiting()
    number, url = sum(count for _currency, count, _minor in found), reverse("console:unknown")
    if not number:
        return Card(_("Unknown outcomes"), "0", _("Every outcome is known."), "done", url)
    values = format_html_join(", ", "{}", ((amount(minor, currency),) for currency, _count, minor in found))
    says = format_html(ngettext("{} at risk in it.", "{} at risk in them.", number), values)
    return Card(_("Unknown outcomes"), str(number), says, "waiting", url)


def reviews_card() -> Card:
    """How many payments wait for the risk review."""
    return case_card(
        title=_("Risk reviews waiting"),
        kind="risk_review",
        none=_("No payment is held."),
        some=_("Nothing is charged until each is decided."),
        url=reverse("console:risk-review"),
    )
