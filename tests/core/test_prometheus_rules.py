"""The file of alert rules is what the code declares, names metrics that exist, and leads to a runbook."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command

from core.alerts import declared_alerts
from core.metrics import metric_names
from core.metrics_page import OF_SCRAPES
from core.prometheus_rules import Rule, declare_rules, declared_rules, names_in

ROOT = Path(__file__).parent.parent.parent
FILE = ROOT / "ops" / "prometheus" / "rules.yml"
DURATION = re.compile(r"[1-9][0-9]*[smhd]")


def _rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(FILE.read_text())["groups"] for rule in group["rules"]]


def known_names() -> set[str]:
    return {*metric_names(), *(family.name for family in OF_SCRAPES)}


def test_the_file_is_up_to_date() -> None:
    call_command("document_alerts", "--check")


def test_every_alert_and_rule_is_in_it_once() -> None:
    names = [rule["alert"] for rule in _rules()]
    assert sorted(names) == sorted(
        {*(a.name for a in declared_alerts()), *(r.name for r in declared_rules())}
    )


def test_it_has_the_shape_that_prometheus_reads() -> None:
    """The keys of prometheus.io/docs/prometheus/latest/configuration/alerting_rules, and no others."""
    document = yaml.safe_load(FILE.read_text())
    assert set(document) == {"groups"}
    for group in document["groups"]:
        assert set(group) == {"name", "rules"}
    for rule in _rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
        assert re.fullmatch(r"[a-z][a-z0-9_]*", rule["alert"])
        assert DURATION.fullmatch(rule.get("for", "1m"))
        assert rule["labels"]["severity"] in ("warning", "critical", "{{ $labels.severity }}")
        assert all(isinstance(text, str) for text in rule["annotations"].values())


def test_expressions_name_metrics_that_exist() -> None:
    for rule in _rules():
        assert names_in(rule["expr"]) <= known_names(), rule["alert"]
        for open_, close in ("()", "{}", "[]"):
            assert rule["expr"].count(open_) == rule["expr"].count(close), rule["alert"]


def test_a_name_that_does_not_exist_is_seen() -> None:
    assert names_in('max by (x) (quittance_gone{a="b"}) > quittance_there') == {
        "quittance_gone",
        "quittance_there",
    }
    assert "quittance_gone" not in known_names()


def test_every_runbook_is_written() -> None:
    for rule in _rules():
        page, _, place = rule["annotations"]["runbook_url"].partition("#")
        headings = re.findall(r"(?m)^## (\S+)$", (ROOT / page).read_text())
        assert place in headings, rule["alert"]


def test_a_rule_of_the_same_name_is_refused() -> None:
    with pytest.raises(ValueError, match="process_gone"):
        declare_rules(Rule("process_gone", "1", 1, "Another."))
