"""What a rule is: where it applies, what it finds, what cures it, and the snippets that prove it."""

import ast
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

Found = Iterable[tuple[int, str]]


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule."""

    rule: str
    path: PurePosixPath
    line: int
    what: str
    cure: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what} [{self.rule}]. Cure: {self.cure}"


@dataclass(frozen=True)
class Rule:
    """A rule of the tree, with snippets that break it and snippets that keep it, each at a made-up path."""

    name: str
    cure: str
    applies: Callable[[PurePosixPath], bool]
    find: Callable[[PurePosixPath, ast.Module, str], Found]
    bad: tuple[tuple[str, str], ...] = field(repr=False)
    good: tuple[tuple[str, str], ...] = field(repr=False)

    def check(self, path: PurePosixPath, tree: ast.Module, source: str) -> list[Finding]:
        """Return what breaks this rule in one file; nothing where the rule does not apply."""
        if not self.applies(path):
            return []
        return [
            Finding(self.name, path, line, what, self.cure) for line, what in self.find(path, tree, source)
        ]

    def check_snippet(self, path: str, snippet: str) -> list[Finding]:
        """Return what breaks this rule in a snippet, as if it stood at the path."""
        source = textwrap.dedent(snippet)
        tree = ast.parse(source if path.endswith(".py") else "")
        return self.check(PurePosixPath(path), tree, source)


def python(path: PurePosixPath) -> bool:
    """Say whether a file is Python."""
    return path.suffix == ".py"
