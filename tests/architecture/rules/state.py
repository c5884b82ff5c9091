"""States change by a transition called from a service, under a lock from locks.py; no signals."""

import ast
import re
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import FunctionNode, decorators, dotted, imports, index, last, nodes, strings
from ..tree import in_product, is_migration

STATE_FIELD = re.compile(r"(?:^|_)(?:status|state)$")
# The word may stand before or after other assignments of the same SET clause, on its own line or not.
SQL_STATE = re.compile(r"(?is)\bupdate\b[^;]*\bset\b[^;]*?\b\w*(?:status|state)\b\s*=")
LOCK_SQL = re.compile(
    r"(?i)pg_(?:try_)?advisory|\bfor\s+(?:no\s+key\s+)?update\b|\bfor\s+(?:key\s+)?share\b|\bskip\s+locked\b|\block\s+table\b"
)
MODEL_SIGNAL = re.compile(r"\b(?:(?:pre|post)_(?:save|delete|init|migrate|transition)|m2m_changed)\.connect$")
SIGNAL_MODULES = ("django.db.models.signals", "django.dispatch", "django_fsm.signals")


def _product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path) and not is_migration(path)


def _may_not_lock(path: PurePosixPath) -> bool:
    # A drain claims due rows with SKIP LOCKED in a transaction of its own, before any other lock.
    return (
        _product(path) and "locks" not in (path.stem, path.parent.name) and path.as_posix() != "core/drain.py"
    )


def _locks(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Attribute):
        if node.attr == "select_for_update":
            yield node.lineno, "select_for_update outside locks.py"
    for node in strings(tree):
        if found := LOCK_SQL.search(node.value):
            yield node.lineno, f"the lock {found.group()!r} is taken outside locks.py"


def _signals(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for item in imports(path, tree):
        if item.full.startswith(SIGNAL_MODULES):
            yield item.line, f"{item.full} hides who calls whom"
    for node in (*nodes(tree, ast.FunctionDef), *nodes(tree, ast.AsyncFunctionDef)):
        if "receiver" in decorators(node):
            yield node.lineno, f"{node.name} is a signal receiver"
    for node in nodes(tree, ast.Call):
        if last(node.func) == "connect" and MODEL_SIGNAL.search(dotted(node.func)):
            yield node.lineno, f"{dotted(node.func)}( hangs work on a signal"
        if last(node.func) == "Signal":
            yield node.lineno, "a signal of our own"


def _save_overrides(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    # A class without bases has nothing to override.
    for node in (found for found in nodes(tree, ast.ClassDef) if found.bases):
        for item in node.body:
            if isinstance(item, FunctionNode) and item.name in (
                "save",
                "asave",
                "bulk_create",
                "bulk_update",
            ):
                yield item.lineno, f"{node.name}.{item.name} is overridden"


def _in_transition(tree: ast.Module, node: ast.AST) -> bool:
    nearest = next((outer for outer in index(tree).enclosing(node) if isinstance(outer, FunctionNode)), None)
    return nearest is not None and "transition" in decorators(nearest)


def _in_constructor(tree: ast.Module, node: ast.AST) -> bool:
    nearest = next((outer for outer in index(tree).enclosing(node) if isinstance(outer, FunctionNode)), None)
    return nearest is not None and nearest.name == "__init__"


def _assigned(tree: ast.Module) -> Found:
    for statement in nodes(tree, ast.Assign, ast.AugAssign, ast.AnnAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            for item in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
                if not isinstance(item, ast.Attribute) or not STATE_FIELD.search(item.attr):
                    continue
                if not _in_transition(tree, statement) and not _in_constructor(tree, statement):
                    yield statement.lineno, f"{dotted(item)} is assigned outside a transition"


def _bulk_written(tree: ast.Module) -> Found:
    for node in nodes(tree, ast.Call):
        name = last(node.func)
        if name in ("update", "aupdate") and isinstance(node.func, ast.Attribute):
            for keyword in node.keywords:
                if keyword.arg and STATE_FIELD.search(keyword.arg) and not _plain_mapping(node.func.value):
                    yield node.lineno, f".update({keyword.arg}=…) jumps over the transition"
        texts = {
            item.value
            for argument in node.args
            for item in ast.walk(argument)
            if isinstance(item, ast.Constant)
        }
        if name in ("bulk_update", "abulk_update", "setattr"):
            for text in texts:
                if isinstance(text, str) and STATE_FIELD.search(text):
                    yield node.lineno, f"{name} writes {text} past the transition"


def _plain_mapping(value: ast.AST) -> bool:
    """Say whether .update( is evidently one of a dictionary: a bare lower-case name that is no queryset."""
    return isinstance(value, ast.Dict) or (
        isinstance(value, ast.Name) and value.id.endswith(("data", "body", "params"))
    )


def _states(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    yield from _assigned(tree)
    yield from _bulk_written(tree)
    for node in strings(tree):
        if SQL_STATE.search(node.value):
            yield node.lineno, "SQL sets a state past the transition"


RULES = (
    Rule(
        name="locks-in-one-place",
        cure="add the lock to the app's locks.py, in the one order, and return evaluated rows",
        applies=_may_not_lock,
        find=_locks,
        bad=(
            ("wallet/services.py", "Wallet.objects.select_for_update().get(pk=1)\n"),
            ("core/audits.py", "cursor.execute('select pg_try_advisory_xact_lock(1)')\n"),
            (
                "payments/services.py",
                "cursor.execute('select 1 from payments_charge for update skip locked')\n",
            ),
        ),
        good=(
            ("wallet/locks.py", "rows = Wallet.objects.select_for_update()\n"),
            ("core/drain.py", "SQL = 'select 1 for update skip locked'\n"),
            (
                "wallet/services.py",
                "'''Rows come back locked FOR UPDATE.'''\nfrom wallet.locks import lock_wallets\n",
            ),
        ),
    ),
    Rule(
        name="no-signals",
        cure="call the service in the same transaction, or record an event that the other app reads",
        applies=_product,
        find=_signals,
        bad=(
            ("wallet/services.py", "from django.db.models.signals import post_save\n"),
            ("wallet/services.py", "from django.db.models import signals\n"),
            ("payments/apps.py", "@receiver(user_logged_in)\ndef on_login(**kwargs): ...\n"),
            ("payments/apps.py", "models.signals.post_save.connect(handler)\n"),
            ("payments/states.py", "paid = dispatch.Signal()\n"),
        ),
        good=(
            (
                "core/apps.py",
                "from django.db.backends.signals import connection_created\nconnection_created.connect(f)\n",
            ),
            ("wallet/services.py", "record_event(kind='wallet.credited')\n"),
        ),
    ),
    Rule(
        name="no-save-override",
        cure="put the work in a service, and the guarantee in a constraint or trigger",
        applies=_product,
        find=_save_overrides,
        bad=(("wallet/models.py", "class Wallet(Model):\n    def save(self, *args, **kwargs): ...\n"),),
        good=(
            (
                "core/admin.py",
                "class Admin(Base):\n    def save_model(self, request, obj, form, change): ...\n",
            ),
            ("core/history.py", "class Changes:\n    def save(self): ...\n"),
        ),
    ),
    Rule(
        name="states-change-by-transition",
        cure="write a @transition method, call it on the locked row from a service, and save",
        applies=_product,
        find=_states,
        bad=(
            ("payments/services.py", "def f(order):\n    order.status = 'SUCCESS'\n"),
            ("payments/services.py", "def f(order):\n    order.note, order.kyc_state = 'x', 'y'\n"),
            ("payments/services.py", "Order.objects.filter(pk=1).update(status='SUCCESS')\n"),
            ("payments/services.py", "Order.objects.bulk_update(orders, ['status'])\n"),
            ("payments/services.py", "setattr(order, 'payment_order_status', 'SUCCESS')\n"),
            (
                "payments/services.py",
                "cursor.execute('UPDATE payments_order SET touched = 1, status = %s')\n",
            ),
        ),
        good=(
            (
                "payments/models.py",
                "class Order:\n    @transition(field=status, source='A', target='B')\n"
                "    def _pay(self):\n        self.previous_status = 'A'\n",
            ),
            (
                "core/errors.py",
                "class Refused(Exception):\n    def __init__(self, status):\n        self.status = status\n",
            ),
            (
                "payments/services.py",
                "order = Order(status='NOT_STARTED')\nif order.status == 'SUCCESS': ...\n",
            ),
            ("payments/selectors.py", "cursor.execute('SELECT 1 FROM payments_order WHERE status = %s')\n"),
        ),
    ),
)
