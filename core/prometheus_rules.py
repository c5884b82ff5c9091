"""The alert rules of Prometheus, written from what is declared here and in the apps: see document_alerts.

The console's alerts become one rule each; the rest are about what the system itself could not tell, because
it does not run, or does not see it: queues that nobody empties, a provider that fails, a page that is gone.
"""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from core.alerts import RUNBOOKS, Alert, declared_alerts

__all__ = ["RULES", "Rule", "as_yaml", "declare_rules", "declared_rules", "names_in"]

_RULES: dict[str, "Rule"] = {}
_HEAD = "# Written by `python manage.py document_alerts` from what the code declares; change it there.\n"
_METRIC = re.compile(r"\bquittance_[a-z0-9_]+")


@dataclass(frozen=True)
class Rule:
    """One alert of Prometheus: true for so many minutes, and what it says then."""

    name: str
    expression: str
    minutes: int
    says: str
    severity: str = "warning"

    @property
    def runbook(self) -> str:
        """Where it says what to do."""
        return f"{RUNBOOKS}#{self.name.replace('_', '-')}"


RULES = (
    Rule(
        "process_gone",
        'up{job="quittance"} == 0 or absent(up{job="quittance"})',
        minutes=2,
        says="No web process answers Prometheus.",
        severity="critical",
    ),
    Rule(
        "metrics_incomplete",
        "min by (source) (quittance_metrics_source_ok) == 0",
        minutes=10,
        says="The metrics of {{ $labels.source }} cannot be read.",
    ),
    Rule(
        "queue_waits",
        "max by (queue) (quittance_queue_oldest_seconds) > 300",
        minutes=5,
        says="Work of the queue {{ $labels.queue }} has been due for more than five minutes.",
        severity="critical",
    ),
    Rule(
        "audit_late",
        'max(quittance_audit_age_seconds{run="any"}) > 1800'
        ' or max(quittance_audit_age_seconds{run="full"}) > 129600',
        minutes=10,
        says="The invariants have not been checked in time.",
    ),
    Rule(
        "trail_unsealed",
        "max(quittance_trail_unsealed_seconds) > 600",
        minutes=5,
        says="Records of the audit trail have had no seal for ten minutes.",
    ),
    Rule(
        "requests_failing",
        'sum(rate(quittance_requests_total{code=~"5.."}[5m]))'
        " / sum(rate(quittance_requests_total[5m])) > 0.02",
        minutes=5,
        says="More than two in a hundred requests end with an error of ours.",
        severity="critical",
    ),
    Rule(
        "requests_slow",
        "histogram_quantile(0.95, sum by (le, call)"
        ' (rate(quittance_request_seconds_bucket{call=~"money|write|read|list|webhook"}[5m]))) > 1',
        minutes=10,
        says="One in twenty calls of the class {{ $labels.call }} takes longer than a second.",
    ),
)


def declare_rules(*rules: Rule) -> None:
    """Make rules known; apps call it in `ready()`. Raises ValueError for a name that is taken."""
    for rule in rules:
        if _RULES.setdefault(rule.name, rule) != rule:
            raise ValueError(f"two rules are called {rule.name}")


def declared_rules() -> list[Rule]:
    """Return all declared rules, by name, without those of the console's alerts."""
    return [_RULES[name] for name in sorted(_RULES)]


def names_in(expression: str) -> set[str]:
    """Return the names of our metrics in a query of Prometheus."""
    return set(_METRIC.findall(expression))


def as_yaml() -> str:
    """Return the file of rules: a group for what the system tells itself, and one for what it cannot."""
    groups = [
        {"name": "quittance-alerts", "rules": [_of_console(alert) for alert in declared_alerts()]},
        {"name": "quittance-metrics", "rules": [_of_metrics(rule) for rule in declared_rules()]},
    ]
    return _HEAD + yaml.safe_dump({"groups": groups}, sort_keys=False, allow_unicode=True, width=200)


def _of_console(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": f'max by (alert, severity) (quittance_alerts_active{{alert="{alert.name}"}}) > 0',
        "labels": {"severity": "{{ $labels.severity }}"},
        "annotations": {"summary": alert.title, "description": alert.says, "runbook_url": alert.runbook},
    }


def _of_metrics(rule: Rule) -> dict[str, Any]:
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": f"{rule.minutes}m",
        "labels": {"severity": rule.severity},
        "annotations": {"summary": rule.says, "runbook_url": rule.runbook},
    }
