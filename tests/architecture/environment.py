"""Which environment variables the code reads, and which `.env.example` lists."""

import ast
import re
from pathlib import PurePosixPath

from .rule import Found
from .syntax import dotted, imports, last, nodes
from .tree import in_product

READERS = re.compile(r"env_[a-z]+$")
# A commented line lists a variable too: it has a default that most people keep.
LISTED = re.compile(r"^#?\s?([A-Z][A-Z0-9_]*)=")
# The process's own plumbing: which settings module, and where the interpreter finds things.
PLUMBING = {"DJANGO_SETTINGS_MODULE"}


def variables_read(tree: ast.Module) -> set[str]:
    """Return the names given to env_str, env_bool and their kin."""
    return {
        str(node.args[0].value)
        for node in nodes(tree, ast.Call)
        if READERS.match(last(node.func)) and node.args and isinstance(node.args[0], ast.Constant)
    }


def unnamed_reads(tree: ast.Module) -> Found:
    """Yield the reads whose variable is not written out, so that nobody can list it."""
    for node in nodes(tree, ast.Call):
        literal = bool(node.args) and isinstance(node.args[0], ast.Constant)
        if READERS.match(last(node.func)) and not literal:
            yield node.lineno, f"{last(node.func)} reads a variable whose name is not written out"


def variables_listed(text: str) -> list[str]:
    """Return the variables of an `.env.example`, in order."""
    return [found[1] for line in text.split("\n") if (found := LISTED.match(line))]


def direct_reads(path: PurePosixPath, tree: ast.Module) -> Found:
    """Yield the reads of os.environ in product code that do not go through config/env.py."""
    if not in_product(path) or path.as_posix() == "config/env.py":
        return
    for node in nodes(tree, ast.Attribute, ast.Name):
        name = dotted(node)
        if name in ("os.environ", "os.getenv", "os.environb") and not _plumbing(tree, node):
            yield node.lineno, f"{name} is read outside config/env.py"
    for item in imports(path, tree):
        if item.module == "os" and item.name in ("environ", "getenv"):
            yield item.line, f"os.{item.name} is imported outside config/env.py"


def _plumbing(tree: ast.Module, node: ast.AST) -> bool:
    for call in nodes(tree, ast.Call):
        inside = (
            isinstance(call.func, ast.Attribute)
            and call.func.value is node
            and call.func.attr == "setdefault"
        )
        if inside and call.args and isinstance(call.args[0], ast.Constant) and call.args[0].value in PLUMBING:
            return True
    return False
