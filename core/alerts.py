"""Alerts as data: what is wrong, how bad it is, what it means for whom, and which page says what to do.

An open case of an alert's name is the memory of it, so that it is told once however often somebody looks,
and once more when nobody has dealt with it in time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db import transaction
from django.db.models import Count, Max, Min, Sum

from core import clock
from core.alert_notices import notify
from core.cases import close_open_case, open_case_once
from core.history import SYSTEM
from core.locks import lock_case
from core.models import Case
from core.transactions import requires_transaction

__all__ = [
    "ActiveAlert",
    "Alert",
    "active_alerts",
    "declare_alert",
    "declared_alerts",
    "end_alert",
    "escalate",
    "get_alert",
    "open_subjects",
    "raise_alert",
]

log = structlog.get_logger("quittance.alerts")
RUNBOOKS = "docs/operating/runbooks.md"
_PORTION = 200
_ALERTS: dict[str, "Alert"] = {}


@dataclass(frozen=True)
class Alert:
    """One thing that must not stay unseen; its cases are of the kind `name`.

    It begins as a warning, or `critical` at once, and is critical when its case was not closed in `due_in`.
    """

    name: str
    title: str
    says: str
    due_in: timedelta
    severity: str = "warning"
    # The page of the console that shows what it is about, and a filter of that page.
    page: str = "admin:core_case_changelist"
    query: str = "?status__in=OPEN,ASSIGNED"

    @property
    def runbook(self) -> str:
        """Where it says what to look at and what to do."""
        return f"{RUNBOOKS}#{self.name.replace('_', '-')}"


@dataclass(frozen=True)
class ActiveAlert:
    """An alert with what is open of it now; `values` are minor units at risk by currency."""

    alert: Alert
    severity: str
    count: int
    values: Mapping[str, int]
    since: datetime
    newest: str


def declare_alert(*alerts: Alert) -> None:
    """Make alerts known; apps call it in `ready()`. Raises ValueError for a name that is taken."""
    for alert in alerts:
        if alert.severity not in ("warning", "critical"):
            raise ValueError(f"{alert.name} is neither a warning nor critical")
        if _ALERTS.setdefault(alert.name, alert) != alert:
            raise ValueError(f"two alerts are called {alert.name}")


@requires_transaction
def raise_alert(
    name: str,
    *,
    subject: str,
    summary: str,
    detail: dict[str, Any] | None = None,
    value_minor: int | None = None,
    currency: str = "",
    merchant_id: UUID | None = None,
    by: str = SYSTEM,
) -> Case | None:
    """Open the case of an alert tell people once it is committed; None when it is open already.

    Raises KeyError for an alert that nobody declared.
    """
    alert = _ALERTS[name]
    case, is_new = open_case_once(
        kind=name,
        subject=subject,
        summary=summary[:500],
        due_in=alert.due_in,
        detail={**(detail or {}), "severity": alert.severity},
        value_minor=value_minor,
        currency=currency,
        merchant_id=merchant_id,
        by=by,
    )
    if not is_new:
        return None
    _tell(alert, case, alert.severity)
    return case


@requires_transaction
def end_alert(name: str, *, subject: str, resolution: str) -> None:
    """Close the case of an alert, if one is open: what it told of is over."""
    close_open_case(kind=name, subject=subject, resolution=resolution, by=SYSTEM)


@requires_transaction
def escalate(*, limit: int = _PORTION) -> int:
    """Make critical, and tell once more, what nobody has dealt with in time; return how many."""
    late = Case.objects.filter(kind__in=list(_ALERTS), due_at__lt=clock.now()).exclude(status="CLOSED")
    late = late.exclude(detail__has_key="escalated_at").order_by("due_at")
    done = 0
    for case_id in list(late.values_list("pk", flat=True)[:limit]):
        case = lock_case(case_id=case_id)
        if case.status == "CLOSED" or "escalated_at" in case.detail:
            continue
        case.detail = {**case.detail, "severity": "critical", "escalated_at": clock.now().isoformat()}
        case.save(update_fields=["detail"])
        _tell(_ALERTS[case.kind], case, "critical")
        done += 1
    return done


def get_alert(name: str) -> Alert:
    """Return a declared alert. Raises KeyError for an unknown name."""
    return _ALERTS[name]


def declared_alerts() -> list[Alert]:
    """Return all declared alerts, by name."""
    return [_ALERTS[name] for name in sorted(_ALERTS)]


def open_subjects(name: str) -> list[str]:
    """Return what an alert is open about, oldest first."""
    rows = Case.objects.filter(kind=name).exclude(status="CLOSED").order_by("pk")
    return list(rows.values_list("subject", flat=True)[:_PORTION])


def active_alerts() -> list[ActiveAlert]:
    """Return what is wrong now, the worst and oldest first: one line for each alert."""
    is_open = Case.objects.filter(kind__in=list(_ALERTS)).exclude(status="CLOSED")
    rows = is_open.values("kind", "currency").annotate(
        count=Count("pk"), value=Sum("value_minor"), since=Min("opened_at"), newest=Max("summary")
    )
    overdue = set(is_open.filter(due_at__lt=clock.now()).values_list("kind", flat=True).distinct())
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["kind"], []).append(dict(row))
    alerts = [_active(_ALERTS[name], parts, name in overdue) for name, parts in found.items()]
    return sorted(alerts, key=lambda each: (each.severity != "critical", each.since))


def _active(alert: Alert, parts: list[dict[str, Any]], is_overdue: bool) -> ActiveAlert:
    return ActiveAlert(
        alert=alert,
        severity="critical" if is_overdue else alert.severity,
        count=sum(part["count"] for part in parts),
        values={part["currency"]: int(part["value"]) for part in parts if part["currency"]},
        since=min(part["since"] for part in parts),
        newest=max(part["newest"] for part in parts),
    )


def _tell(alert: Alert, case: Case, severity: str) -> None:
    """Write down who must be told, in the same transaction, and log it once that is committed."""
    notify(case_id=case.pk, severity=severity)
    transaction.on_commit(_telling(alert, case, severity))


def _telling(alert: Alert, case: Case, severity: str) -> Callable[[], None]:
    """Return what writes the log line: one event with its parts as fields."""

    def tell() -> None:
        log.error(
            "alert",
            alert=alert.name,
            severity=severity,
            subject=case.subject,
            says=case.summary,
            runbook=alert.runbook,
            case_id=str(case.pk),
        )

    return tell
