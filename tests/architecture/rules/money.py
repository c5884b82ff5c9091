"""Money is an integer count of minor units, or a Decimal at the edge; never a float."""

import ast
import re
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import imports, index, last, nodes
from ..tree import in_product, top

# Apps where every number may be money.
MONEY_APPS = {"merchants", "ledger", "wallet", "payments", "payouts", "reconciliation"}
MONEY_IMPORTS = ("core.money", "decimal", "djmoney", "moneyed")
MONEY_NAME = re.compile(r"amount|(?:^|_)minor(?:_|$)")
# A float is right for a span of time; these names say that a number is one.
TIME_NAME = re.compile(r"(?i)second|timeout|delay|jitter|interval|backoff|deadline|pause|wait|lease")


def _money_app(path: PurePosixPath) -> bool:
    return python(path) and (top(path) in MONEY_APPS or path.as_posix() == "core/money.py")


def _product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path)


def _float_calls(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if isinstance(node.func, ast.Name) and node.func.id == "float":
            yield node.lineno, "float() where numbers are money"
        if last(node.func) == "FloatField":
            yield node.lineno, "a FloatField where numbers are money"


def _names(tree: ast.Module) -> set[str]:
    found = {node.id for node in nodes(tree, ast.Name)} | {node.attr for node in nodes(tree, ast.Attribute)}
    return found | {node.arg for node in nodes(tree, ast.arg)}


def _near_money(path: PurePosixPath, tree: ast.Module) -> bool:
    if any(item.full.startswith(MONEY_IMPORTS) for item in imports(path, tree)):
        return True
    return any(MONEY_NAME.search(name) for name in _names(tree))


def _default_of(literal: ast.AST, arguments: ast.arguments) -> str:
    pairs = list(zip(reversed(arguments.args), reversed(arguments.defaults), strict=False))
    pairs += [
        (arg, default) for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    ]
    return next((arg.arg for arg, default in pairs if default is literal), "")


def _given_name(tree: ast.Module, literal: ast.AST) -> str:
    """Return the name the literal is given to: a keyword, a parameter, or the target of an assignment."""
    inner = literal
    for outer in index(tree).enclosing(literal):
        if isinstance(outer, ast.keyword):
            return outer.arg or ""
        if isinstance(outer, ast.arguments):
            return _default_of(inner, outer)
        if isinstance(outer, ast.Assign):
            return last(outer.targets[0])
        if isinstance(outer, ast.AnnAssign | ast.AugAssign):
            return last(outer.target)
        if isinstance(outer, ast.Call | ast.stmt):
            return ""
        inner = outer
    return ""


def _float_literals(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    literals = [node for node in nodes(tree, ast.Constant) if isinstance(node.value, float)]
    if not literals or not _near_money(path, tree):
        return
    for node in literals:
        if not TIME_NAME.search(_given_name(tree, node)):
            yield node.lineno, f"the float {node.value} in a module that handles money"


def _true_division(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.BinOp):
        if isinstance(node.op, ast.Div):
            for side in (node.left, node.right):
                if re.search(r"(?:^|_)minor$", last(side)):
                    yield node.lineno, f"{last(side)} divided with /, which makes a float"


RULES = (
    Rule(
        name="no-float-for-money",
        cure="parse with core.money or Decimal; store integer minor units",
        applies=_money_app,
        find=_float_calls,
        bad=(
            ("payments/services.py", "total = float(text)\n"),
            ("core/money.py", "def to_minor(value):\n    return int(float(value) * 100)\n"),
            ("wallet/models.py", "class Wallet:\n    balance = models.FloatField()\n"),
        ),
        good=(
            ("payments/services.py", "total = int(text)\n"),
            ("config/env.py", "def env_float(name):\n    return float(name)\n"),
            ("wallet/models.py", "class Wallet:\n    available_minor = models.BigIntegerField()\n"),
        ),
    ),
    Rule(
        name="no-float-literal-near-money",
        cure="write Decimal('0.5') or an integer; name a span of time so (delay_seconds=0.5)",
        applies=_product,
        find=_float_literals,
        bad=(
            ("payments/fees.py", "from decimal import Decimal\nRATE = 0.029\n"),
            ("risk/rules.py", "def score(amount_minor):\n    return amount_minor * 1.5\n"),
            ("core/money.py", "def half(minor, part=0.5):\n    return minor\n"),
        ),
        good=(
            ("payments/fees.py", "from decimal import Decimal\nRATE = Decimal('0.029')\n"),
            ("payments/drain.py", "def run(amount_minor, *, pause_seconds: float = 0.5): ...\n"),
            ("core/drain.py", "PAUSE = 0.5\nHALF = 0.5\n"),
        ),
    ),
    Rule(
        name="no-true-division-of-minor-units",
        cure="use // or divmod and say where the rest goes, or the rounding words of core.money",
        applies=_product,
        find=_true_division,
        bad=(
            ("payments/fees.py", "share = amount_minor / parts\n"),
            ("wallet/selectors.py", "x = 1 / row.available_minor\n"),
        ),
        good=(
            ("payments/fees.py", "share, rest = divmod(amount_minor, parts)\n"),
            ("core/sqlfiles.py", "path = ROOT / 'sql'\n"),
        ),
    ),
)
