"""The layers hold, and the contracts know every package: import-linter itself is run, and made to fail."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from .contracts import layer_lines, missing, section, settings
from .tree import APPS, LAYERS, OUTSIDE, PRODUCT, ROOT, may_use, packages, text_files

LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]


def _apps_with_models() -> frozenset[str]:
    rooms = {file.path.parts[:2] for file in text_files() if len(file.path.parts) > 1}
    return frozenset(
        app for app in packages() if {(app, "models.py"), (app, "models")} & rooms and app in PRODUCT
    )


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LINT, "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)


PRESENT = frozenset({"core", "ledger", "sandbox"})
WITH_MODELS = frozenset({"core", "ledger"})
WHOLE = frozenset({*PRODUCT, "sandbox"})


@pytest.fixture(params=["the packages of today", "every package of the design"])
def copy(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Make a tree whose packages are empty, under the contracts, so that a test can break one of them."""
    if request.param == "the packages of today":
        shutil.copy(ROOT / "pyproject.toml", tmp_path)
    else:
        (tmp_path / "pyproject.toml").write_text(section(WHOLE, frozenset(APPS)))
    for name in _roots(tmp_path):
        (tmp_path / name).mkdir()
        for module in ("__init__", "models", "services"):
            (tmp_path / name / f"{module}.py").write_text("")
    return tmp_path


def _roots(folder: Path) -> list[str]:
    """Return the packages of a tree from the top down, the sandbox last."""
    named = settings(folder)["root_packages"]
    return [name for name in (*PRODUCT, "sandbox") if name in named]


def test_every_package_has_a_layer() -> None:
    assert packages() - set(PRODUCT) - OUTSIDE == set(), "give the new package a place in LAYERS"


def test_the_contracts_know_every_package() -> None:
    problems = missing(settings(ROOT), packages(), _apps_with_models())
    proposal = section(packages(), _apps_with_models())
    assert problems == [], "write this into pyproject.toml:\n" + proposal


def test_the_imports_keep_the_contracts() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_hold_for_empty_packages(copy: Path) -> None:
    done = _lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


def _broken(folder: Path, pairs: list[tuple[str, str]], module: str) -> list[tuple[str, str]]:
    """Write an import for each (user, used), lint once, and return the pairs that were not refused."""
    for user, used in pairs:
        (folder / user / f"reaches_{used}.py").write_text(f"import {used}.{module}\n")
    output = _lint(folder).stdout
    return [(user, used) for user, used in pairs if f"{user}.reaches_{used} -> {used}.{module}" not in output]


def test_every_import_upwards_or_sideways_is_refused(copy: Path) -> None:
    roots = [name for name in _roots(copy) if name != "sandbox"]
    upwards = [(low, high) for place, high in enumerate(roots) for low in roots[place + 1 :]]
    sideways = [
        pair
        for layer in LAYERS
        if len(layer) == 2
        for pair in (layer, layer[::-1])
        if set(pair) <= set(roots)
    ]
    assert _broken(copy, [*upwards, *sideways], "services") == []


def test_every_import_of_foreign_models_is_refused(copy: Path) -> None:
    """The models of core are the base of the others, and open."""
    private = [app for app in _roots(copy) if f"{app}.models" in (copy / "pyproject.toml").read_text()]
    pairs = [(user, used) for user in _roots(copy) for used in private if user != used and user != "sandbox"]
    assert _broken(copy, pairs, "models") == []


def test_the_sandbox_is_a_world_apart(copy: Path) -> None:
    pairs = (
        [(name, "sandbox") for name in _roots(copy) if name != "sandbox"] if "sandbox" in _roots(copy) else []
    )
    assert _broken(copy, [*pairs, *[(used, user) for user, used in pairs]], "services") == []


def test_every_import_downwards_is_allowed(copy: Path) -> None:
    """The refusals above would mean nothing if everything were refused."""
    for user in (name for name in PRODUCT if name in _roots(copy)):
        lower = [used for used in _roots(copy) if used in PRODUCT and used != user and may_use(user, used)]
        (copy / user / "edge.py").write_text("".join(f"import {used}.services\n" for used in lower))
    done = _lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


def _gapped(**changes: object) -> dict[str, object]:
    return {**tomllib.loads(section(PRESENT, WITH_MODELS))["tool"]["importlinter"], **changes}


def test_a_complete_section_has_no_problem() -> None:
    assert missing(_gapped(), PRESENT, WITH_MODELS) == []


@pytest.mark.parametrize(
    ("gapped", "says"),
    [
        (_gapped(root_packages=["core", "sandbox"]), "add 'ledger' to root_packages"),
        (_gapped(root_packages=["core", "ledger", "sandbox", "gone"]), "remove 'gone' from root_packages"),
        (_gapped(contracts=[]), "add a protected contract for ledger.models"),
        (_gapped(contracts=[]), "the one layers contract"),
        (_gapped(contracts=[]), "forbid core to import sandbox"),
        (_gapped(contracts=[]), "forbid sandbox to import payouts"),
        (
            _gapped(
                contracts=[
                    {"name": "l", "type": "layers", "layers": layer_lines(), "ignore_imports": ["a -> b"]}
                ]
            ),
            "ignores imports",
        ),
    ],
)
def test_a_gap_in_the_contracts_is_named(gapped: dict[str, object], says: str) -> None:
    problems = missing(gapped, PRESENT, WITH_MODELS)
    assert any(says in problem for problem in problems), problems
