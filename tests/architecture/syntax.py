"""Questions asked of a syntax tree. Nodes are sorted by kind once, so that many rules stay fast."""

import ast
import io
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Imported:
    """One imported name: `from module import name`, or `import module` with an empty name."""

    line: int
    module: str
    name: str
    bound: str

    @property
    def full(self) -> str:
        """Return the dotted path of what was imported."""
        return f"{self.module}.{self.name}" if self.name else self.module


class Index:
    """The nodes of one tree by kind, and the parent of each."""

    def __init__(self, tree: ast.Module) -> None:
        self.by_kind: dict[type[ast.AST], list[ast.AST]] = defaultdict(list)
        self.parent: dict[ast.AST, ast.AST] = {}
        for node in ast.walk(tree):
            self.by_kind[type(node)].append(node)
            for child in ast.iter_child_nodes(node):
                self.parent[child] = node
        self.docstrings = {id(text) for text in self._docstrings()}

    def _docstrings(self) -> Iterator[ast.Constant]:
        for kind in (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef):
            for node in self.by_kind[kind]:
                first = node.body[0] if node.body else None
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                    yield first.value

    def enclosing(self, node: ast.AST) -> Iterator[ast.AST]:
        """Yield the nodes around this one, the nearest first."""
        while (node := self.parent.get(node)) is not None:
            yield node


@cache
def index(tree: ast.Module) -> Index:
    """Return the index of a tree, built once."""
    return Index(tree)


def nodes(tree: ast.Module, *kinds: type[ast.AST]) -> Iterator[ast.AST]:
    """Yield the nodes of the given kinds."""
    for kind in kinds:
        yield from index(tree).by_kind[kind]


def functions(tree: ast.Module) -> Iterator[FunctionNode]:
    """Yield every function and method, nested ones too."""
    yield from nodes(tree, ast.FunctionDef, ast.AsyncFunctionDef)


def dotted(node: ast.AST) -> str:
    """Return `a.b.c` for a chain of names; a call or subscript within it reads as `()` or `[]`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    if isinstance(node, ast.Subscript):
        return f"{dotted(node.value)}[]"
    return "?"


def last(node: ast.AST) -> str:
    """Return the last name of a chain: `c` for `a.b.c`, `''` for anything else."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def decorators(node: FunctionNode | ast.ClassDef) -> set[str]:
    """Return the last names of a definition's decorators, called or not."""
    return {last(item.func if isinstance(item, ast.Call) else item) for item in node.decorator_list}


def imports(path: PurePosixPath, tree: ast.Module) -> Iterator[Imported]:
    """Yield every import of a file, at the top or inside a function, relative ones resolved."""
    for node in nodes(tree, ast.Import):
        for alias in node.names:
            yield Imported(node.lineno, alias.name, "", alias.asname or alias.name.split(".")[0])
    for node in nodes(tree, ast.ImportFrom):
        module = node.module or ""
        if node.level:
            package = path.parts[: len(path.parts) - node.level]
            module = ".".join([*package, *([module] if module else [])])
        for alias in node.names:
            yield Imported(node.lineno, module, alias.name, alias.asname or alias.name)


def strings(tree: ast.Module) -> Iterator[ast.Constant]:
    """Yield the string constants that are not docstrings, parts of f-strings included."""
    known = index(tree).docstrings
    for node in nodes(tree, ast.Constant):
        if isinstance(node.value, str) and id(node) not in known:
            yield node


@cache
def comments(text: str) -> tuple[tuple[int, str], ...]:
    """Return (line, comment) of Python source."""
    if "#" not in text:
        return ()
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return tuple((token.start[0], token.string) for token in tokens if token.type == tokenize.COMMENT)
