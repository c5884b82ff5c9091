"""What the console's first page says: files late, refused or held, breaks, and runs that failed."""

from collections.abc import Callable

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from core import clock
from core.admin_display import digits
from core.overview import Card, case_card
from reconciliation.models import Discrepancy, ReconciliationRun, SettlementSource
from reconciliation.resolving.ageing import BUCKETS, ageing
from reconciliation.sources.watching import LATE

__all__ = ["CARDS"]

_MOST = 1_000
# Ages from the youngest to the oldest.
_BUCKETS = [*(name for name, _last in BUCKETS), ">30"]


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


def adjust_card() -> Card:
    """Breaks that finance is to adjust: how many, what is at stake, the oldest."""
    return _breaks(
        _("Breaks to adjust"), ("A", "B"), "finance", _("Every break that a rule knows is closed.")
    )


def investigate_card() -> Card:
    """Breaks that no rule knows."""
    return _breaks(_("Breaks to investigate"), ("C",), "investigation", _("Nothing is unexplained."))


def failed_runs_card() -> Card:
    """Files that could not be matched or posted, and wait for a person."""
    count = ReconciliationRun.objects.filter(status="FAILED")[:_MOST].count()
    says = (
        _("Their files are not, or not all, in the books.")
        if count
        else _("Every file was matched and posted.")
    )
    url = reverse("console:runs") + "?status=FAILED"
    return Card(_("Runs that failed"), str(count), says, "failed" if count else "done", url)


def _breaks(title: str, categories: tuple[str, ...], queue: str, none: str) -> Card:
    found = [each for each in ageing(merchant_id=None) if each.category in categories]
    count = sum(each.count for each in found)
    overdue = Discrepancy.objects.filter(category__in=categories, due_at__lt=clock.now())
    is_late = overdue.exclude(status="RESOLVED").exists()
    value: dict[str, int] = {}
    for each in found:
        value[each.currency] = value.get(each.currency, 0) + each.value_minor
    at_stake = ", ".join(f"{digits(minor, currency)} {currency}" for currency, minor in sorted(value.items()))
    oldest = max(found, key=lambda each: _BUCKETS.index(each.bucket)).bucket if found else ""
    says = _("%(value)s at stake; the oldest is %(days)s days old.") % {"value": at_stake, "days": oldest}
    late = " " + _("Some are overdue.") if is_late else ""
    look = "failed" if is_late else "waiting" if count else "done"
    url = f"{reverse('console:breaks')}?queue={queue}" + ("&overdue=1" if is_late else "")
    return Card(title, str(count), says + late if count else none, look, url)


CARDS: tuple[tuple[str, Callable[[], Card]], ...] = (
    ("reconciliation.view_settlementsource", late_card),
    ("reconciliation.view_settlementfile", refused_card),
    ("reconciliation.view_bankstatement", held_card),
    ("reconciliation.view_discrepancy", adjust_card),
    ("reconciliation.view_discrepancy", investigate_card),
    ("reconciliation.view_reconciliationrun", failed_runs_card),
)
