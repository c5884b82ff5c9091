"""No leftovers, and no word about where the project was written."""

import ast
import re
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import comments

_LEFT = "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
LEFTOVER = re.compile(rf"\b(?:{_LEFT})\b")
# Put together here so that this file does not hold what it forbids.
WORKPLACE = re.compile(
    "|".join((r"/(?:wo" + "rk|fa" + r"rm)/", r"\.libr" + "ary", "before" + "-stop", r"\bCE" + r"O\b"))
)
BLANKET = re.compile(r"#\s*type:\s*ignore(?!\[)|#\s*noqa(?!:)")


def _any(path: PurePosixPath) -> bool:
    return True


def _leftovers(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    if not LEFTOVER.search(source):
        return
    # Three of the letter X are the ISO 4217 code for "no currency", so in Python only comments count.
    lines = comments(source) if python(path) else enumerate(source.split("\n"), 1)
    for number, text in lines:
        if found := LEFTOVER.search(text):
            yield number, f"{found.group()} left in the file"


def _workplace(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    if not WORKPLACE.search(source):
        return
    for number, text in enumerate(source.split("\n"), 1):
        if found := WORKPLACE.search(text):
            yield number, f"{found.group()!r} is about the workplace, not the project"


def _blanket(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    if not BLANKET.search(source):
        return
    for number, text in comments(source):
        if BLANKET.search(text):
            yield number, f"{text!r} silences everything on the line"


RULES = (
    Rule(
        name="no-leftovers",
        cure="do it now, or open an issue and delete the note",
        applies=lambda path: (
            path.suffix in (".py", ".sql", ".html", ".toml", ".yml", ".yaml", ".sh", ".js", "")
        ),
        find=_leftovers,
        bad=(
            ("payments/services.py", "x = 1  # TO" + "DO: refunds\n"),
            ("ledger/sql/post.sql", "-- FIX" + "ME: lock\n"),
        ),
        good=(
            ("core/currencies.py", "NO_CURRENCY = 'XX" + "X'\n"),
            ("ledger/sql/post.sql", "-- A todo list is none.\n"),
        ),
    ),
    Rule(
        name="the-project-speaks-of-itself",
        cure="say it in the project's own terms, with a path inside the project",
        applies=_any,
        find=_workplace,
        bad=(
            ("README.md", "See /wo" + "rk/notes.\n"),
            ("docs/start.md", "Ask the CE" + "O.\n"),
            ("ops/launch.py", "PATH = '.libr" + "ary'\n"),
        ),
        good=(("README.md", "It works at work; a farm/field is a farm.\n"),),
    ),
    Rule(
        name="no-blanket-silence",
        cure="name the code: type: ignore[arg-type], noqa: S105",
        applies=python,
        find=_blanket,
        bad=(("core/fsm.py", "x = f()  # type: " + "ignore\n"), ("core/fsm.py", "x = f()  # no" + "qa\n")),
        good=(
            ("core/fsm.py", "x = f()  # type: " + "ignore[no-any-return]\n"),
            ("core/fsm.py", "x = f()  # no" + "qa: S105\n"),
        ),
    ),
)
