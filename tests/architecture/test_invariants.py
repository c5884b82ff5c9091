"""Every rule of the books is watched by an audit, or its reason not to be is here; every audit is broken."""

import ast
from pathlib import Path

from core.audits import registered

from .tree import ROOT

RULES = {
    *(f"I{number:02}" for number in range(1, 41)),
    *(f"L{number}" for number in range(1, 18)),
    *(f"W{number}" for number in range(1, 6)),
    *(f"P{number}" for number in range(1, 7)),
    *(f"R{number}" for number in range(1, 8)),
}
# What these are about has no tables here. Each leaves the list with the app that brings them.
WITHOUT_TABLES = {
    "reconciliation": {"I38", "P3"} | {f"R{n}" for n in range(3, 8)},
}


def test_every_rule_is_watched() -> None:
    absent = set().union(*WITHOUT_TABLES.values())
    watched = {rule for each in registered() for rule in each.covers}
    assert watched <= RULES
    assert watched & absent == set(), "there is an audit now: take the rule off the list"
    assert RULES - absent - watched == set()


def test_every_audit_is_broken_by_a_test() -> None:
    """A query that never fires watches nothing: its name stands in a table of ways to break the data."""
    broken = {name for path in sorted((ROOT / "tests").rglob("test_*.py")) for name in _tables(path)}
    assert {each.name for each in registered()} - broken == set()


def _tables(path: Path) -> set[str]:
    """The keys of the dictionaries called BREAKS or BREAKAGES at the top of a test module."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        value = getattr(node, "value", None)
        if names & {"BREAKS", "BREAKAGES"} and isinstance(value, ast.Dict):
            found |= {key.value for key in value.keys if isinstance(key, ast.Constant)}
    return {name for name in found if isinstance(name, str)}
