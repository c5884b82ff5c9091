"""What the console's first page says of settlement files: what is late, refused, or held."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core.overview import Card, case_card
from reconciliation.models import SettlementSource
from reconciliation.sources.watching import LATE

__all__ = ["CARDS"]


def late_card() -> Card:
    """Business days whose file should be there and does not count."""
    sources = SettlementSource.objects.filter(is_enabled=True).count()
    return case_card(
        title=_("Late settlement files"),
        kind=LATE,
        none=ngettext(
            "%(count)d source is expected from; nothing is late.",
            "%(count)d sources are expected from; nothing is late.",
            sources,
        )
        % {"count": sources},
        some=_("Days that cannot be proved yet."),
        url=reverse("admin:reconciliation_settlementsource_changelist"),
    )


def refused_card() -> Card:
    """Sources whose last file contradicts itself."""
    return case_card(
        title=_("Refused settlement files"),
        kind="settlement_file_refused",
        none=_("No file contradicts itself."),
        some=_("Nothing of them counts until good ones come."),
        url=reverse("admin:reconciliation_settlementfile_changelist") + "?status=REFUSED",
    )


def held_card() -> Card:
    """Accounts whose statements do not follow on each other."""
    return case_card(
        title=_("Held bank statements"),
        kind="statement_gap",
        none=_("Every statement follows on the one before it."),
        some=_("A statement is missing, or ends with another balance."),
        url=reverse("admin:reconciliation_bankstatement_changelist") + "?status=HELD",
    )


CARDS: tuple[tuple[str, Callable[[], Card]], ...] = (
    ("reconciliation.view_settlementsource", late_card),
    ("reconciliation.view_settlementfile", refused_card),
    ("reconciliation.view_bankstatement", held_card),
)
