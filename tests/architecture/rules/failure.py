"""Nothing is swallowed, nothing is printed, nothing unsafe is loaded."""

import ast
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import dotted, imports, last, nodes
from ..tree import in_product, top

BROAD = {"Exception", "BaseException"}
UNSAFE_MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "cloudpickle", "jsonpickle"}


def _product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path)


def _ours(path: PurePosixPath) -> bool:
    return python(path) and (in_product(path) or top(path) in ("sandbox", "ops", "tests", "examples"))


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(node, ast.Pass | ast.Continue | ast.Break)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in body
    )


def _broad(kind: ast.AST | None) -> bool:
    if isinstance(kind, ast.Tuple):
        return any(_broad(item) for item in kind.elts)
    return kind is not None and last(kind) in BROAD


def _swallowed(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.ExceptHandler):
        if node.type is None:
            yield node.lineno, "a bare except"
        elif _broad(node.type) and _does_nothing(node.body):
            yield node.lineno, "every error is caught and forgotten"
    for node in nodes(tree, ast.Call):
        if last(node.func) == "suppress" and any(_broad(argument) for argument in node.args):
            yield node.lineno, "every error is suppressed"


def _printed(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id in ("print", "pprint", "breakpoint"):
            yield node.lineno, f"{node.func.id}( in product code"


def _unsafe(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for item in imports(path, tree):
        if item.module.split(".")[0] in UNSAFE_MODULES:
            yield item.line, f"{item.module} runs what it reads"
    for node in nodes(tree, ast.Call):
        if dotted(node.func) in ("yaml.load", "yaml.unsafe_load", "yaml.full_load"):
            yield node.lineno, f"{dotted(node.func)} may run what it reads"


RULES = (
    Rule(
        name="nothing-swallowed",
        cure="catch the errors you mean by name, and act or say in a comment why the outcome is right",
        applies=_ours,
        find=_swallowed,
        bad=(
            ("payments/tasks.py", "try:\n    run()\nexcept:\n    retry()\n"),
            ("payments/tasks.py", "try:\n    run()\nexcept Exception:\n    pass\n"),
            (
                "payments/tasks.py",
                "for x in y:\n    try:\n        run()\n    except (OSError, Exception):\n        continue\n",
            ),
            ("ops/launch.py", "with contextlib.suppress(BaseException):\n    run()\n"),
        ),
        good=(
            ("payments/tasks.py", "try:\n    run()\nexcept PayoutAlreadySubmitted:\n    pass\n"),
            ("payments/tasks.py", "try:\n    run()\nexcept Exception:\n    log.exception('x')\n    raise\n"),
            ("ops/launch.py", "with contextlib.suppress(ProcessLookupError):\n    run()\n"),
        ),
    ),
    Rule(
        name="no-print",
        cure="log with structlog; a management command writes to self.stdout",
        applies=_product,
        find=_printed,
        bad=(("payments/services.py", "print('paid')\n"), ("core/drain.py", "breakpoint()\n")),
        good=(
            ("ops/launch.py", "print('up')\n"),
            (
                "core/management/commands/run_audits.py",
                "class Command:\n    def handle(self):\n        self.stdout.write('x')\n",
            ),
        ),
    ),
    Rule(
        name="no-unsafe-loading",
        cure="use json, or yaml.safe_load",
        applies=_ours,
        find=_unsafe,
        bad=(
            ("core/outbox.py", "import pickle\n"),
            ("sandbox/server.py", "from marshal import loads\n"),
            ("ops/rules.py", "import yaml\nyaml.load(text)\n"),
        ),
        good=(("core/outbox.py", "import json\n"), ("ops/rules.py", "import yaml\nyaml.safe_load(text)\n")),
    ),
)
