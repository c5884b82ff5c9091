"""Every rule holds over the tree, fires on its bad snippets and stays silent on its good ones."""

import pytest

from .rule import Rule
from .rules import ALL
from .tree import text_files

BAD = [
    pytest.param(rule, path, text, id=f"{rule.name}-{n}")
    for rule in ALL
    for n, (path, text) in enumerate(rule.bad)
]
GOOD = [
    pytest.param(rule, path, text, id=f"{rule.name}-{n}")
    for rule in ALL
    for n, (path, text) in enumerate(rule.good)
]


@pytest.mark.parametrize("rule", ALL, ids=lambda rule: rule.name)
def test_the_tree_keeps_the_rule(rule: Rule) -> None:
    findings = [found for file in text_files() for found in rule.check(file.path, file.tree, file.text)]
    assert not findings, "\n" + "\n".join(str(found) for found in findings)


@pytest.mark.parametrize(("rule", "path", "snippet"), BAD)
def test_the_rule_fires_on_a_bad_snippet(rule: Rule, path: str, snippet: str) -> None:
    findings = rule.check_snippet(path, snippet)
    assert findings, "the rule cannot fail on what it forbids"
    assert all(found.cure and str(found).startswith(path) for found in findings)


@pytest.mark.parametrize(("rule", "path", "snippet"), GOOD)
def test_the_rule_is_silent_on_a_good_snippet(rule: Rule, path: str, snippet: str) -> None:
    assert rule.check_snippet(path, snippet) == []


def test_every_rule_has_a_name_of_its_own_and_both_proofs() -> None:
    names = [rule.name for rule in ALL]
    assert len(names) == len(set(names))
    assert [rule.name for rule in ALL if not rule.bad or not rule.good or not rule.cure] == []


def test_the_tree_that_is_read_is_not_empty() -> None:
    """A reader that finds no files would keep every rule."""
    paths = {str(file.path) for file in text_files()}
    assert {"pyproject.toml", "tests/architecture/test_rules.py"} <= paths
