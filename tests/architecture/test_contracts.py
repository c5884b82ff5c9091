"""The layers hold, and the contracts know every package: import-linter itself is run, and made to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .contracts import layer_lines, missing, settings
from .tree import OUTSIDE, PRODUCT, ROOT, packages, text_files

LINT = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"]


def _apps_with_models() -> frozenset[str]:
    rooms = {file.path.parts[:2] for file in text_files() if len(file.path.parts) > 1}
    return frozenset(
        app for app in packages() if {(app, "models.py"), (app, "models")} & rooms and app in PRODUCT
    )


def _lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LINT, "--no-logo"], cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Make a tree with the real contracts and every package empty, so that a test can break one of them."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in settings()["root_packages"]:
        (tmp_path / name).mkdir()
        for module in ("__init__", "models", "services"):
            (tmp_path / name / f"{module}.py").write_text("")
    return tmp_path


def test_every_package_has_a_layer() -> None:
    assert packages() - set(PRODUCT) - OUTSIDE == set(), "give the new package a place in LAYERS"


def test_the_contracts_know_every_package() -> None:
    assert missing(settings(), packages(), _apps_with_models()) == []


def test_the_imports_keep_the_contracts() -> None:
    done = _lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_contracts_hold_for_empty_packages(copy: Path) -> None:
    done = _lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


def _pairs(lower_first: bool) -> list[tuple[str, str]]:
    present = [name for name in PRODUCT if name in settings()["root_packages"]]
    pairs = [(low, high) for place, high in enumerate(present) for low in present[place + 1 :]]
    return pairs if lower_first else [(high, low) for low, high in pairs]


def test_an_import_upwards_breaks_the_layers(copy: Path) -> None:
    """One broken import for each pair of packages, all in one run: each must be named."""
    for low, high in _pairs(lower_first=True):
        (copy / low / f"up_{high}.py").write_text(f"import {high}.services\n")
    done = _lint(copy)
    assert done.returncode == 1, done.stdout + done.stderr
    assert [
        pair for pair in _pairs(True) if f"{pair[0]}.up_{pair[1]} -> {pair[1]}.services" not in done.stdout
    ] == []


def test_an_import_of_foreign_models_is_refused(copy: Path) -> None:
    pairs = [(high, low) for high, low in _pairs(lower_first=False) if low in _apps_with_models() - {"core"}]
    for high, low in pairs:
        (copy / high / f"into_{low}.py").write_text(f"from {low}.models import Row\n")
    done = _lint(copy)
    refused = [f"{high}.into_{low} -> {low}.models" in done.stdout for high, low in pairs]
    assert all(refused), done.stdout
    assert (done.returncode == 1) == bool(pairs)


@pytest.mark.skipif("sandbox" not in packages(), reason="there is no sandbox package in this tree")
@pytest.mark.parametrize(("user", "used"), [("sandbox", "core"), ("core", "sandbox")])
def test_the_sandbox_is_a_world_apart(copy: Path, user: str, used: str) -> None:
    (copy / user / "across.py").write_text(f"import {used}.services\n")
    done = _lint(copy)
    assert done.returncode == 1
    assert f"{user}.across -> {used}.services" in done.stdout


def _section(**changes: object) -> dict[str, object]:
    kept = {
        "root_packages": ["core", "ledger", "sandbox"],
        "contracts": [
            {"name": "l", "type": "layers", "layers": layer_lines()},
            {
                "name": "p",
                "type": "protected",
                "protected_modules": ["ledger.models"],
                "allowed_importers": ["ledger"],
            },
            {
                "name": "s",
                "type": "forbidden",
                "source_modules": ["sandbox"],
                "forbidden_modules": list(PRODUCT),
            },
            {
                "name": "t",
                "type": "forbidden",
                "source_modules": ["core", "ledger"],
                "forbidden_modules": ["sandbox"],
            },
        ],
    }
    return {**kept, **changes}


def test_a_complete_section_has_no_problem() -> None:
    assert missing(_section(), frozenset({"core", "ledger", "sandbox"}), frozenset({"core", "ledger"})) == []


@pytest.mark.parametrize(
    ("section", "says"),
    [
        (_section(root_packages=["core", "sandbox"]), "add 'ledger' to root_packages"),
        (_section(root_packages=["core", "ledger", "sandbox", "gone"]), "remove 'gone' from root_packages"),
        (_section(contracts=[]), "add a protected contract for ledger.models"),
        (_section(contracts=[]), "the one layers contract"),
        (_section(contracts=[]), "forbid core to import sandbox"),
        (_section(contracts=[]), "forbid sandbox to import payouts"),
        (
            _section(
                contracts=[
                    {"name": "l", "type": "layers", "layers": layer_lines(), "ignore_imports": ["a -> b"]}
                ]
            ),
            "ignores imports",
        ),
    ],
)
def test_a_gap_in_the_contracts_is_named(section: dict[str, object], says: str) -> None:
    problems = missing(section, frozenset({"core", "ledger", "sandbox"}), frozenset({"core", "ledger"}))
    assert any(says in problem for problem in problems), problems
