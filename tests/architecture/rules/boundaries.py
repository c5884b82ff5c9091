"""An app's models are private: what crosses is a service call, a selector, an id or a frozen dataclass."""

import ast
import re
import sys
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import dotted, imports, last, nodes
from ..tree import APPS, PRODUCT, in_product, is_migration, may_use, packages, top

# The rooms of an app that another app may enter. Errors belong to the services that raise them; the
# templates of the books are pure functions, and subscriptions are how an app hears of events.
DOORS = {"services", "selectors", "types", "errors", "templates", "subscriptions", "admin_parts"}
RELATIONS = {"ForeignKey", "OneToOneField", "ManyToManyField"}
LOOKUPS = {"get_model", "import_module", "import_string"}


def _product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path) and not is_migration(path)


def _launcher(path: PurePosixPath) -> bool:
    return python(path) and top(path) == "ops"


def _not_core(path: PurePosixPath) -> bool:
    return python(path) and in_product(path) and path.as_posix() != "core/fsm.py"


def _enters_by_door(path: PurePosixPath, target: str) -> bool:
    """Say whether the target is open to the file: its own app, core, a door, or the routes for config."""
    app, _, rest = target.partition(".")
    if app not in APPS or app in (top(path), "core"):
        return True
    room = rest.split(".")[0]
    if top(path) == "config":
        return room in DOORS or re.fullmatch(r"(?:api\.)?(?:urls|views|admin)(?:\..*)?", rest) is not None
    # An edge may build on another: authentication is written once, in the app that owns the keys.
    if path.parts[1] == "api" and room == "api":
        return True
    return room in DOORS


def _private_rooms(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for item in imports(path, tree):
        # `from ledger import services` names the room in the imported name.
        target = item.full if "." not in item.module else item.module
        if not _enters_by_door(path, target):
            yield item.line, f"{target} is private to {target.split('.')[0]}"
    for node in nodes(tree, ast.Call):
        if last(node.func) in LOOKUPS and node.args and isinstance(node.args[0], ast.Constant):
            name = str(node.args[0].value)
            app = name.split(".")[0]
            if app in APPS and app not in (top(path), "core") and not _enters_by_door(path, name):
                yield node.lineno, f"{last(node.func)}({name!r}) goes around the door of {app}"


def _upward_relations(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if last(node.func) not in RELATIONS:
            continue
        target = node.args[0] if node.args else next((k.value for k in node.keywords if k.arg == "to"), None)
        if not isinstance(target, ast.Constant) or "." not in str(target.value):
            continue
        app = str(target.value).split(".")[0]
        if app in PRODUCT and not may_use(top(path), app):
            yield node.lineno, f"the relation to {target.value} points up"


def _migration_dependencies(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Assign):
        if last(node.targets[0]) not in ("dependencies", "run_before") or not isinstance(
            node.value, ast.List
        ):
            continue
        for pair in node.value.elts:
            app = (
                pair.elts[0].value
                if isinstance(pair, ast.Tuple) and isinstance(pair.elts[0], ast.Constant)
                else ""
            )
            if app in PRODUCT and not may_use(top(path), app):
                yield pair.lineno, f"the migration depends on {app}, which stands higher or beside"


def _fsm_imports(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for item in imports(path, tree):
        if item.module.split(".")[0] == "django_fsm":
            yield item.line, "django_fsm imported outside core/fsm.py"


def _third_party(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    local = {PurePosixPath(path.as_posix()).parts[0], "__future__"}
    for item in imports(path, tree):
        root = item.module.split(".")[0]
        if root in PRODUCT or root == "sandbox" or root in packages():
            yield item.line, f"{root} is imported before its dependencies are installed"
        elif root and root not in sys.stdlib_module_names and root not in local and not _sibling(path, root):
            yield item.line, f"{root} is not in the standard library"


def _sibling(path: PurePosixPath, root: str) -> bool:
    from ..tree import ROOT

    return (ROOT / path.parent / f"{root}.py").is_file() or (ROOT / path.parent / root).is_dir()


def _dynamic_imports(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if dotted(node.func) == "__import__":
            yield node.lineno, "__import__ hides a dependency from the layers"


RULES = (
    Rule(
        name="models-are-private",
        cure="call the other app's services or selectors; ids and frozen dataclasses (types) cross",
        applies=_product,
        find=_private_rooms,
        bad=(
            ("payments/services.py", "from ledger.models import Entry\n"),
            ("payments/services.py", "from wallet import locks\n"),
            ("payments/services.py", "def f():\n    import wallet.states\n"),
            ("payments/api/views.py", "from merchants.models import Seller\n"),
            ("payments/services.py", "Wallet = apps.get_model('wallet', 'Wallet')\n"),
            ("payments/services.py", "posting = import_module('ledger.posting')\n"),
            ("config/urls.py", "from payments.models import Charge\n"),
        ),
        good=(
            (
                "payments/services.py",
                "from ledger import services, types\nfrom wallet.selectors import balance\n",
            ),
            ("payments/services.py", "from core.models import Case\nfrom .models import Charge\n"),
            ("payments/services.py", "from wallet.errors import InsufficientFunds\n"),
            ("payments/api/views.py", "from merchants.api.authentication import ApiKeyAuthentication\n"),
            ("config/urls.py", "from payments.api.urls import routes\n"),
        ),
    ),
    Rule(
        name="relations-point-down",
        cure="keep the id without a relation, or let the higher app hold the foreign key",
        applies=_product,
        find=_upward_relations,
        bad=(
            ("ledger/models.py", "owner = models.ForeignKey('wallet.Wallet', on_delete=models.PROTECT)\n"),
            ("payments/models.py", "p = OneToOneField(to='payouts.Payout', on_delete=PROTECT)\n"),
        ),
        good=(
            ("wallet/models.py", "a = models.ForeignKey('ledger.Account', on_delete=models.PROTECT)\n"),
            ("core/models.py", "u = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)\n"),
        ),
    ),
    Rule(
        name="migrations-depend-downwards",
        cure="depend on the app itself and on lower layers only",
        applies=lambda path: python(path) and in_product(path) and is_migration(path),
        find=_migration_dependencies,
        bad=(
            (
                "core/migrations/0002_cases.py",
                "class Migration:\n    dependencies = [('merchants', '0001_initial')]\n",
            ),
        ),
        good=(
            (
                "wallet/migrations/0002_holds.py",
                "class Migration:\n    dependencies = [('wallet', '1'), ('ledger', '1'), ('auth', '1')]\n",
            ),
        ),
    ),
    Rule(
        name="one-door-to-django-fsm",
        cure="import StatefulModel, FSMField, transition and Machine from core.fsm",
        applies=_not_core,
        find=_fsm_imports,
        bad=(
            ("payments/models.py", "from django_fsm import transition\n"),
            ("core/models.py", "import django_fsm.signals\n"),
        ),
        good=(
            ("core/fsm.py", "from django_fsm import transition\n"),
            ("payments/models.py", "from core.fsm import transition\n"),
        ),
    ),
    Rule(
        name="launcher-needs-only-python",
        cure="run it as a child process of the virtual environment, or write it with the standard library",
        applies=_launcher,
        find=_third_party,
        bad=(("ops/launch.py", "import psycopg\n"), ("ops/launch.py", "from config import env\n")),
        good=(("ops/launch.py", "import subprocess\nfrom ops import ports\nfrom . import children\n"),),
    ),
    Rule(
        name="imports-are-visible",
        cure="write an import statement",
        applies=_product,
        find=_dynamic_imports,
        bad=(("payments/services.py", "ledger = __import__('ledger.models')\n"),),
        good=(("payments/services.py", "import ledger.services\n"),),
    ),
)
