"""What the console's first page says: what waits for a person, and whether the books were checked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from core.admin_display import amount
from core.alerts import active_alerts
from core.models import Approval, AuditRun, Case, DeadLetter, User

__all__ = ["Card", "alerts", "cards", "case_card", "register_card"]

# Beyond this nobody needs the exact figure, and counting would become slow.
_COUNT_LIMIT = 1000
_MORE: list[tuple[str, Callable[[], "Card"]]] = []


@dataclass(frozen=True)
class Card:
    """One figure that leads to what it is made of."""

    title: str
    figure: str
    says: str
    look: str
    url: str


def cards(*, user: User) -> list[Card]:
    """Return the cards that this person may look into."""
    makers = {
        "core.view_case": _cases,
        "core.view_approval": _approvals,
        "core.view_deadletter": _dead_letters,
        "core.view_auditrun": _audits,
    }
    return [make() for permission, make in [*_MORE, *makers.items()] if user.has_perm(permission)]


def register_card(permission: str, make: Callable[[], Card]) -> None:
    """Add a card of another app, for those with the permission; apps call it in `ready()`."""
    if (permission, make) not in _MORE:
        _MORE.append((permission, make))


def case_card(*, title: str, kind: str, none: str, some: str, url: str) -> Card:
    """Return a card that counts the open cases of one kind."""
    number = Case.objects.filter(kind=kind).exclude(status="CLOSED")[: _COUNT_LIMIT + 1].count()
    figure = f"{_COUNT_LIMIT}+" if number > _COUNT_LIMIT else str(number)
    return Card(title, figure, some if number else none, "waiting" if number else "done", url)


def alerts(*, user: User) -> list[dict[str, Any]]:
    """Return what is wrong now, as the first page shows it; everybody who sees cases sees alerts."""
    if not user.has_perm("core.view_case"):
        return []
    return [
        {
            "title": _(each.alert.title),
            "says": _(each.alert.says),
            "severity": each.severity,
            "count": each.count,
            "values": [amount(minor, currency) for currency, minor in sorted(each.values.items())],
            "since": each.since,
            "newest": each.newest,
            "runbook": each.alert.runbook,
            "url": reverse(each.alert.page) + each.alert.query,
        }
        for each in active_alerts()
    ]


def _cases() -> Card:
    unfinished = Case.objects.filter(status__in=["OPEN", "ASSIGNED"])
    oldest = unfinished.order_by("due_at").values_list("due_at", flat=True).first()
    says = (
        _("The first is due {moment:%Y-%m-%d %H:%M} UTC.").format(moment=oldest)
        if oldest
        else _("All explained.")
    )
    return _card(_("Cases to explain"), unfinished, says, "core_case", "?status__in=OPEN,ASSIGNED")


def _approvals() -> Card:
    waiting = Approval.objects.filter(status="PENDING")
    says = _("Each needs a second person.") if waiting.exists() else _("Nobody waits for a second person.")
    return _card(_("Approvals waiting"), waiting, says, "core_approval", "?status__exact=PENDING")


def _dead_letters() -> Card:
    waiting = DeadLetter.objects.filter(status="OPEN")
    says = _("Replay or drop each of them.") if waiting.exists() else _("No work has failed for good.")
    return _card(_("Dead letters"), waiting, says, "core_deadletter", "?status__exact=OPEN")


def _audits() -> Card:
    last = AuditRun.objects.order_by("-started_at").first()
    url = reverse("admin:core_auditrun_latest")
    title = _("Invariant checks")
    if last is None:
        return Card(title, "–", _("They have not run yet."), "neutral", url)
    says = _("Last run {moment:%Y-%m-%d %H:%M} UTC.").format(moment=last.finished_at)
    if last.is_clean:
        return Card(title, _("Clean"), says, "done", url)
    return Card(title, _("Broken"), says, "failed", url)


def _card(title: str, rows: Any, says: str, page: str, filters: str) -> Card:
    number = rows[: _COUNT_LIMIT + 1].count()
    figure = f"{_COUNT_LIMIT}+" if number > _COUNT_LIMIT else str(number)
    url = reverse(f"admin:{page}_changelist") + (filters if number else "")
    return Card(title, figure, says, "waiting" if number else "done", url)
