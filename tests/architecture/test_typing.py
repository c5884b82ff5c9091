"""mypy is strict where money is, and nothing is excused but missing third-party stubs."""

import tomllib
from typing import Any

import pytest

from .tree import PRODUCT, ROOT

# What `mypy --strict` means, for the options that can be set for one module.
STRICT = {
    "disallow_any_generics": True,
    "disallow_subclassing_any": True,
    "disallow_untyped_calls": True,
    "disallow_untyped_defs": True,
    "disallow_incomplete_defs": True,
    "check_untyped_defs": True,
    "disallow_untyped_decorators": True,
    "warn_unused_ignores": True,
    "warn_return_any": True,
    "implicit_reexport": False,
    "strict_equality": True,
    "extra_checks": True,
}
MUST_BE_STRICT = {
    "core.*",
    "ledger.*",
    "wallet.*",
    "*.services",
    "*.services.*",
    "*.selectors",
    "*.selectors.*",
    "*.types",
}
EXCUSES = {"ignore_errors", "disable_error_code", "follow_imports", "disallow_any_unimported"}


def _mypy() -> dict[str, Any]:
    section: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mypy"]
    return section


def loosened(section: dict[str, Any]) -> list[str]:
    """Return, in words, where a mypy section is looser than the rule."""
    overrides: list[dict[str, Any]] = section.get("overrides", [])
    strict = [
        set(item["module"])
        for item in overrides
        if all(item.get(flag) is value for flag, value in STRICT.items())
    ]
    problems = [f"{name} is not strict" for name in sorted(MUST_BE_STRICT - set().union(*strict))]
    for item in overrides:
        modules = [item["module"]] if isinstance(item["module"], str) else item["module"]
        ours = [name for name in modules if name.split(".")[0] in (*PRODUCT, "*", "sandbox", "ops")]
        if ours and (item.get("ignore_missing_imports") or EXCUSES & set(item)):
            problems.append(f"{', '.join(ours)}: only third-party packages without stubs may be excused")
        wrong = [flag for flag, value in STRICT.items() if item.get(flag, value) is not value]
        if ours and wrong:
            problems.append(f"{', '.join(ours)}: {', '.join(wrong)} switched off")
    excused = EXCUSES & set(section)
    problems += [f"{name} excuses the whole tree" for name in sorted(excused)]
    if "ignore-without-code" not in section.get("enable_error_code", []):
        problems.append("ignore-without-code is not enabled")
    return problems


def test_mypy_is_strict_where_money_is() -> None:
    assert loosened(_mypy()) == []


_KEPT: dict[str, Any] = {
    "enable_error_code": ["ignore-without-code"],
    "overrides": [{"module": sorted(MUST_BE_STRICT), **STRICT}],
}


def test_a_strict_section_has_no_problem() -> None:
    assert loosened(_KEPT) == []


@pytest.mark.parametrize("flag", sorted(STRICT))
def test_a_missing_flag_is_named(flag: str) -> None:
    short = {name: value for name, value in STRICT.items() if name != flag}
    section = {**_KEPT, "overrides": [{"module": sorted(MUST_BE_STRICT), **short}]}
    assert "ledger.* is not strict" in loosened(section)


@pytest.mark.parametrize(
    "excuse",
    [
        {"module": ["ledger.models"], "ignore_errors": True},
        {"module": "core.fsm", "ignore_missing_imports": True},
        {"module": ["*.services"], "disable_error_code": ["misc"]},
        {"module": ["wallet.models"], "disallow_untyped_defs": False},
    ],
)
def test_an_excuse_for_our_own_code_is_named(excuse: dict[str, Any]) -> None:
    assert loosened({**_KEPT, "overrides": [*_KEPT["overrides"], excuse]}) != []


def test_a_third_party_package_without_stubs_may_be_excused() -> None:
    stubs = {"module": ["django_fsm.*"], "ignore_missing_imports": True}
    assert loosened({**_KEPT, "overrides": [*_KEPT["overrides"], stubs]}) == []


def test_the_flags_are_those_of_the_installed_mypy() -> None:
    """A new mypy may add a flag to --strict; it is then added here."""
    from mypy.main import process_options
    from mypy.options import PER_MODULE_OPTIONS

    _, strict = process_options(["--strict", "--config-file=", "-c", "pass"], fscache=None)
    _, plain = process_options(["--config-file=", "-c", "pass"], fscache=None)
    changed = {
        name: getattr(strict, name)
        for name in PER_MODULE_OPTIONS
        if getattr(strict, name, None) != getattr(plain, name, None)
    }
    assert {name: value for name, value in changed.items() if STRICT.get(name) is not value} == {}
