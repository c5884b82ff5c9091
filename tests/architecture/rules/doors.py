"""services.py and selectors.py are the doors of an app: explicit, keyword-only, typed, explained."""

import ast
from collections.abc import Iterator
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import FunctionNode, decorators
from ..tree import in_product

TRANSACTION_WORDS = {"requires_transaction", "forbids_transaction"}


def _door(path: PurePosixPath) -> bool:
    """Say whether a file is a door, or one use case of a door that has become a package."""
    rooms = {"services", "selectors"}
    return python(path) and in_product(path) and (path.stem in rooms or path.parent.name in rooms)


def _service(path: PurePosixPath) -> bool:
    return _door(path) and (path.stem == "services" or path.parent.name == "services")


def _entrance(path: PurePosixPath) -> bool:
    return _door(path) and (path.stem in ("services", "selectors", "__init__"))


def _public(tree: ast.Module) -> Iterator[FunctionNode]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            yield node


def _signatures(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in _public(tree):
        given = node.args
        if given.posonlyargs or given.args or given.vararg:
            yield node.lineno, f"{node.name} takes positional arguments"
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
        if node.returns is None or any(argument and argument.annotation is None for argument in every):
            yield node.lineno, f"{node.name} is not fully annotated"
        if not ast.get_docstring(node):
            yield node.lineno, f"{node.name} has no docstring"


def _exports(tree: ast.Module) -> set[str] | None:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            value = node.value
            if isinstance(value, ast.List | ast.Tuple):
                return {str(item.value) for item in value.elts if isinstance(item, ast.Constant)}
    return None


def _explicit_all(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    exported = _exports(tree)
    if exported is None:
        yield 1, "the door has no __all__"
        return
    for node in _public(tree):
        if node.name not in exported:
            yield node.lineno, f"{node.name} is public and not in __all__"


def _words(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in _public(tree):
        if not decorators(node) & TRANSACTION_WORDS:
            yield node.lineno, f"{node.name} does not say what it needs of a transaction"


_GOOD = '''
    __all__ = ["open_wallet"]

    @requires_transaction
    def open_wallet(*, owner_id: UUID, currency: str) -> UUID:
        """Open a wallet. Errors: UnknownCurrency."""
        return _row(owner_id).pk

    def _row(owner_id): ...
'''

RULES = (
    Rule(
        name="doors-have-signatures",
        cure="write `def name(*, argument: Type) -> Type:` and say what it does, its units and errors",
        applies=_door,
        find=_signatures,
        bad=(
            ("wallet/services.py", "def hold(amount_minor: int) -> int:\n    '''Hold.'''\n"),
            ("wallet/services.py", "def hold(*, amount_minor) -> int:\n    '''Hold.'''\n"),
            ("wallet/services.py", "def hold(*, amount_minor: int):\n    '''Hold.'''\n"),
            ("wallet/selectors.py", "def balance(*, wallet_id: UUID) -> int:\n    return 1\n"),
            ("payments/services/accept.py", "def accept(data): ...\n"),
        ),
        good=(("wallet/services.py", _GOOD), ("wallet/posting.py", "def post(rows): ...\n")),
    ),
    Rule(
        name="doors-say-what-they-export",
        cure="list every public name in __all__; a private name begins with an underscore",
        applies=_entrance,
        find=_explicit_all,
        bad=(
            ("wallet/selectors.py", "def balance(*, wallet_id: UUID) -> int:\n    '''x'''\n"),
            ("wallet/services.py", "__all__ = ['hold']\ndef hold(): ...\ndef settle(): ...\n"),
            ("payments/services/__init__.py", "from .accept import accept\n"),
        ),
        good=(
            ("wallet/services.py", _GOOD),
            ("payments/services/__init__.py", "from .accept import accept\n__all__ = ['accept']\n"),
            ("payments/services/accept.py", "def accept(): ...\n"),
        ),
    ),
    Rule(
        name="services-say-a-transaction-word",
        cure="decorate with requires_transaction, or forbids_transaction; the edge opens it",
        applies=_service,
        find=_words,
        bad=(
            ("wallet/services.py", "def hold(): ...\n"),
            ("wallet/services.py", "@at_edge\ndef hold(): ...\n"),
        ),
        good=(
            ("wallet/services.py", _GOOD),
            ("wallet/services.py", "@transactions.forbids_transaction\ndef hold(): ...\n"),
            ("wallet/selectors.py", "def balance(): ...\n"),
        ),
    ),
)
