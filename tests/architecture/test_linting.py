"""The linter's rules are off nowhere but where it is said here, so that no list of excuses can grow."""

import tomllib
from typing import Any

import pytest

from .tree import ROOT

# Two rules that do not fit: Django's Meta options, and asserts for mypy. Everything else is mended.
OFF = {"RUF012", "S101"}
OFF_IN_PLACES = {
    # Passwords of tests, processes of tests, and digits of other scripts that must be refused.
    "tests/**": {"S", "RUF001"},
    # Starting processes is what the launcher is for.
    "ops/**": {"S603", "S607"},
    # Generated in part.
    "*/migrations/*": {"E501"},
}
SELECTED = {"E", "F", "W", "I", "UP", "B", "C4", "SIM", "DTZ", "RUF", "PIE", "RET", "S"}


def excuses(section: dict[str, Any]) -> list[str]:
    """Return, in words, where ruff's section lets through more than is said above."""
    lint = section["lint"]
    found = [f"{rule} is switched off" for rule in sorted(set(lint.get("ignore", [])) - OFF)]
    found += [f"{rule} is not selected" for rule in sorted(SELECTED - set(lint["select"]))]
    for place, rules in lint.get("per-file-ignores", {}).items():
        more = sorted(set(rules) - OFF_IN_PLACES.get(place, set()))
        found += [f"{rule} is switched off in {place}" for rule in more]
    found += [f"{name} is used" for name in ("extend-ignore", "extend-per-file-ignores") if name in lint]
    left_out = {*section.get("exclude", []), *section.get("extend-exclude", [])} - {"var"}
    return found + [f"{place} is left out" for place in sorted(left_out)]


def _ruff() -> dict[str, Any]:
    section: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]
    return section


def test_nothing_more_is_excused() -> None:
    assert excuses(_ruff()) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"lint": {"ignore": ["E501"]}}, "E501 is switched off"),
        ({"lint": {"select": sorted(SELECTED - {"S"})}}, "S is not selected"),
        ({"lint": {"per-file-ignores": {"core/**": ["B"]}}}, "B is switched off in core/**"),
        ({"lint": {"per-file-ignores": {"tests/**": ["F"]}}}, "F is switched off in tests/**"),
        ({"lint": {"extend-ignore": ["E501"]}}, "extend-ignore is used"),
        ({"extend-exclude": ["ledger"]}, "ledger is left out"),
    ],
)
def test_an_excuse_is_named(change: dict[str, Any], says: str) -> None:
    section = _ruff()
    changed = {**section, **change, "lint": {**section["lint"], **change.get("lint", {})}}
    assert excuses(changed) == [says]
