"""Files and functions short enough to be read in one go."""

import ast
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import functions
from ..tree import is_migration, top

LONGEST_FILE = 600
LONGEST_FUNCTION = 60
LONGEST_TEST = 80


def _written_by_hand(path: PurePosixPath) -> bool:
    return python(path) and not is_migration(path)


def _file_size(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    lines = source.count("\n")
    if lines > LONGEST_FILE:
        yield LONGEST_FILE, f"the file has {lines} lines, more than {LONGEST_FILE}"


def _function_length(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    longest = LONGEST_TEST if top(path) == "tests" else LONGEST_FUNCTION
    for node in functions(tree):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        if length > longest:
            yield node.lineno, f"{node.name} has {length} lines, more than {longest}"


RULES = (
    Rule(
        name="file-size",
        cure="split the module by subject into a package whose __init__ re-exports",
        applies=_written_by_hand,
        find=_file_size,
        bad=(("ledger/services.py", "x = 1\n" * 601),),
        good=(
            ("ledger/services.py", "x = 1\n" * 600),
            ("ledger/migrations/0001_initial.py", "x = 1\n" * 601),
        ),
    ),
    Rule(
        name="function-length",
        cure="give each step of the function a name of its own",
        applies=_written_by_hand,
        find=_function_length,
        bad=(
            ("wallet/services.py", "def hold():\n" + "    x = 1\n" * 60),
            ("tests/wallet/test_hold.py", "def test_hold():\n" + "    x = 1\n" * 80),
        ),
        good=(
            ("wallet/services.py", "def hold():\n" + "    x = 1\n" * 59),
            ("tests/wallet/test_hold.py", "def test_hold():\n" + "    x = 1\n" * 79),
        ),
    ),
)
