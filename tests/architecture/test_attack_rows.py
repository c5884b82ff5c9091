"""Each row of the catalogue of attacks has tests that are there, or a reason why it has none."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from . import settlement_rows
from .attack_rows import ROWS as ATTACK_ROWS
from .attack_rows import NotYet

ROWS = {**ATTACK_ROWS, **settlement_rows.ROWS}

ROOT = Path(__file__).parents[2]
# How many rows the catalogue has, by kind and letter; of D and H those whose subject is there.
COUNTS = {"A-A": 11, "A-B": 17, "A-C": 14, "A-E": 13, "A-F": 20, "A-G": 8, "F-H": 23, "F-J": 7}
SINGLE = {*(f"A-D{number}" for number in (1, 4, 5, 6, 7, 8, 9))} | {
    *(f"A-H{number}" for number in (1, 2, 3, 8, 9, 10, 11, 13, 14))
}


@cache
def names_in(path: str) -> frozenset[str]:
    """Return the names of the tests in a file, none if there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    functions = (node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.FunctionDef))
    return frozenset(node.name for node in functions if node.name.startswith("test_"))


def gone(tests: tuple[str, ...]) -> list[str]:
    """Return those of the tests that no longer exist."""
    return [test for test in tests if test.partition("::")[2] not in names_in(test.partition("::")[0])]


def test_every_row_of_the_catalogue_is_listed_once() -> None:
    wanted = {f"{kind}{number}" for kind, last in COUNTS.items() for number in range(1, last + 1)}
    assert set(ROWS) == wanted | SINGLE


def test_every_named_test_exists() -> None:
    missing = {row: gone(each) for row, each in ROWS.items() if not isinstance(each, NotYet) and gone(each)}
    assert not missing, (
        f"name the tests of these rows anew in attack_rows.py, or say why there are none: {missing}"
    )


def test_a_row_has_a_test_or_a_reason() -> None:
    assert [
        row for row, each in ROWS.items() if not (each.reason if isinstance(each, NotYet) else each)
    ] == []


def test_the_file_of_a_test_names_the_fault_that_it_shows() -> None:
    """Who reads a test of a settlement fault finds its row there."""
    silent = {
        (row, path)
        for row, tests in settlement_rows.ROWS.items()
        for path in {test.partition("::")[0] for test in tests}
        if not re.search(rf"{row}\b|F-H11 to F-H15", (ROOT / path).read_text())
    }
    assert silent == set()


@pytest.mark.parametrize(
    "test",
    [
        "tests/architecture/test_attack_rows.py::test_that_never_was",
        "tests/nowhere.py::test_a_row_has_a_test_or_a_reason",
        "tests/architecture/test_attack_rows.py",
    ],
)
def test_a_test_that_is_gone_is_noticed(test: str) -> None:
    assert gone((test,)) == [test]
    assert gone(("tests/architecture/test_attack_rows.py::test_a_test_that_is_gone_is_noticed",)) == []
