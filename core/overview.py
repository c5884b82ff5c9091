"""What the console's first page says: what is wrong, and what waits for a person."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from core import clock
from core.admin_display import amount, name_people, person
from core.alerts import active_alerts, declared_alerts
from core.models import Approval, Case, DeadLetter, User

__all__ = ["Card", "alerts", "cards", "case_card", "oldest_cases", "register_card", "register_top", "top"]

# Beyond this nobody needs the exact figure, and counting would become slow.
_COUNT_LIMIT = 1000
_MORE: list[tuple[str, Callable[[], "Card"]]] = []
_TOP: list[Callable[[HttpRequest], dict[str, Any]]] = []
# What a person looks at first.
_URGENCY = {"failed": 0, "waiting": 1, "progress": 2}
_CASES_SHOWN = 10
# So many due first are looked through for the dearest.
_CASES_READ = 200


@dataclass(frozen=True)
class Card:
    """One figure that leads to what it is made of."""

    title: str
    figure: str
    says: str
    look: str
    url: str


def cards(*, user: User) -> list[Card]:
    """Return the cards that this person may look into, those first for which something must be done."""
    makers = {
        "core.view_case": _cases,
        "core.view_approval": _approvals,
        "core.view_deadletter": _dead_letters,
    }
    made = [make() for permission, make in [*makers.items(), *_MORE] if user.has_perm(permission)]
    return sorted(made, key=lambda card: _URGENCY.get(card.look, len(_URGENCY)))


def register_top(make: Callable[[HttpRequest], dict[str, Any]]) -> None:
    """Say what stands above the cards; the one app that sees all others calls it in `ready()`."""
    if make not in _TOP:
        _TOP.append(make)


def top(request: HttpRequest) -> dict[str, Any]:
    """Return what stands above the cards for whoever asks."""
    return {name: value for make in _TOP for name, value in make(request).items()}


def oldest_cases(*, user: User) -> list[dict[str, Any]]:
    """Return the open cases that are due first, the dearest of a day first, with the page of each."""
    if not user.has_perm("core.view_case"):
        return []
    now = clock.now()
    rows: list[Any] = list(
        Case.objects.filter(status__in=["OPEN", "ASSIGNED"]).order_by("due_at")[:_CASES_READ]
    )
    rows.sort(key=lambda row: (row.due_at.date(), -(row.value_minor or 0), row.due_at))
    shown = rows[:_CASES_SHOWN]
    name_people(shown, ("owner",))
    pages = {alert.name: alert for alert in declared_alerts()}
    return [
        {
            "kind": row.kind.replace("_", " ").capitalize(),
            "summary": row.summary,
            "value": amount(row.value_minor, row.currency),
            "age": timesince(row.opened_at, now),
            "due_at": row.due_at,
            "is_overdue": row.due_at < now,
            "owner": person(row, row.owner),
            "url": reverse("admin:core_case_change", args=[row.pk]),
            "desk": _desk(pages[row.kind].page) if row.kind in pages else "",
        }
        for row in shown
    ]


def _desk(page: str) -> str:
    """Return the desk where an alert is dealt with; empty where that is the list of cases itself."""
    return reverse(page) if page.startswith("console:") else ""


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


def _card(title: str, rows: Any, says: str, page: str, filters: str) -> Card:
    number = rows[: _COUNT_LIMIT + 1].count()
    figure = f"{_COUNT_LIMIT}+" if number > _COUNT_LIMIT else str(number)
    url = reverse(f"admin:{page}_changelist") + (filters if number else "")
    return Card(title, figure, says, "waiting" if number else "done", url)
