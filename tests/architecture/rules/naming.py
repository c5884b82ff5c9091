"""A module's name says what is in it."""

import ast
from pathlib import PurePosixPath

from ..rule import Found, Rule, python

BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "stuff"}


def _named(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for part in (*path.parts[:-1], path.stem):
        if part.lower() in BANNED or part.lower().endswith(("_utils", "_helpers")):
            yield 1, f"the name {part!r} says nothing about its content"


RULES = (
    Rule(
        name="names-that-say-something",
        cure="name the module after the one idea it holds",
        applies=python,
        find=_named,
        bad=(
            ("payments/utils.py", ""),
            ("core/helpers/money.py", ""),
            ("wallet/manager.py", ""),
            ("tests/common.py", ""),
            ("ledger/date_utils.py", ""),
        ),
        good=(("payments/fees.py", ""), ("core/management/commands/run_audits.py", ""), ("manage.py", "")),
    ),
)
