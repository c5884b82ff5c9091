"""What is in the tree: the layers, the files, and each file parsed once."""

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

# From the top down. A layer imports only what stands below it; two names of one layer are apart.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("config",),
    ("console",),
    ("reconciliation",),
    ("payments", "payouts"),
    ("risk",),
    ("wallet",),
    ("ledger", "events"),
    ("channels",),
    ("merchants",),
    ("core",),
)
PRODUCT: tuple[str, ...] = tuple(name for layer in LAYERS for name in layer)
APPS: tuple[str, ...] = tuple(name for name in PRODUCT if name != "config")
# Top-level folders that hold Python and are no part of the product's layers.
OUTSIDE: frozenset[str] = frozenset({"sandbox", "tests", "ops", "examples", "docs"})
TEXT_SUFFIXES: frozenset[str] = frozenset(
    {
        ".py",
        ".sql",
        ".html",
        ".txt",
        ".md",
        ".toml",
        ".yml",
        ".yaml",
        ".sh",
        ".cfg",
        ".ini",
        ".css",
        ".js",
        ".json",
        "",
    }
)
LARGEST_TEXT = 2_000_000


def depth(app: str) -> int:
    """Return how far below the top an app stands. Raises KeyError outside the product."""
    for position, layer in enumerate(LAYERS):
        if app in layer:
            return position
    raise KeyError(app)


def may_use(user: str, used: str) -> bool:
    """Say whether one product package may depend on another: itself, or one in a lower layer."""
    return user == used or depth(used) > depth(user)


def top(path: PurePosixPath) -> str:
    """Return the first folder of a path, or '' for a file at the root."""
    return path.parts[0] if len(path.parts) > 1 else ""


def in_product(path: PurePosixPath) -> bool:
    """Say whether a file belongs to one of the layers."""
    return top(path) in PRODUCT


def is_migration(path: PurePosixPath) -> bool:
    """Say whether a file is a Django migration."""
    return "migrations" in path.parts[:-1]


@dataclass(frozen=True)
class SourceFile:
    """One text file: its path from the root, its text, and its syntax tree (empty when it is not Python)."""

    path: PurePosixPath
    text: str
    tree: ast.Module


def _listed() -> Iterator[str]:
    """Yield the files git knows or would add; in an unpacked archive, every file that is not hidden."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        skipped = {"var", "node_modules", "staticfiles", "__pycache__"}
        for found in ROOT.rglob("*"):
            parts = found.relative_to(ROOT).parts
            if not any(part in skipped or (part.startswith(".") and part != ".ci") for part in parts[:-1]):
                yield "/".join(parts)
        return
    yield from done.stdout.split("\0")


@cache
def text_files() -> tuple[SourceFile, ...]:
    """Return every text file of the project, sorted, Python files with their syntax tree."""
    files = []
    for name in sorted(set(_listed())):
        place, path = ROOT / name, PurePosixPath(name)
        if not name or path.suffix not in TEXT_SUFFIXES or not place.is_file():
            continue
        if place.stat().st_size > LARGEST_TEXT:
            continue
        text = place.read_text(encoding="utf-8", errors="replace")
        files.append(SourceFile(path, text, ast.parse(text, name) if path.suffix == ".py" else ast.parse("")))
    return tuple(files)


@cache
def packages() -> frozenset[str]:
    """Return the top-level folders that hold Python and belong to the product, and the sandbox."""
    found = {top(file.path) for file in text_files() if file.path.suffix == ".py"} - {""}
    return frozenset(found - (OUTSIDE - {"sandbox"}))
