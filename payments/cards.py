"""What the console's first page says of payments."""

from django.urls import reverse
from django.utils.translation import gettext as _

from core.overview import Card, case_card

__all__ = ["reviews_card"]


def reviews_card() -> Card:
    """How many payments wait for the risk review."""
    return case_card(
        title=_("Risk reviews waiting"),
        kind="risk_review",
        none=_("No payment is held."),
        some=_("Nothing is charged until each is decided."),
        url=reverse("console:risk-review"),
    )
