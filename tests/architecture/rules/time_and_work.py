"""One clock that tests can move; work is a row, and only nudges go to the broker."""

import ast
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import FunctionNode, dotted, imports, index, last, nodes
from ..tree import in_product, is_migration, top

CLOCK_READS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "timezone.now", "timezone.localdate",
    "timezone.localtime", "time.time",
}  # fmt: skip
PUBLISHES = {"delay", "apply_async", "send_task", "delay_on_commit", "apply_async_on_commit"}


def _reads_core_clock(path: PurePosixPath) -> bool:
    if is_migration(path):
        # Django's own user model has the default that it has; the model that is used says otherwise.
        return False
    return python(path) and in_product(path) and path.as_posix() != "core/clock.py"


def _not_a_nudge(path: PurePosixPath) -> bool:
    return (
        python(path) and in_product(path) and path.name != "nudges.py" and path.as_posix() != "core/drain.py"
    )


def _clock(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    full = {item.bound: item.full for item in imports(path, tree) if item.name}
    for node in nodes(tree, ast.Attribute):
        root, _, rest = dotted(node).partition(".")
        name = ".".join(f"{full.get(root, root)}.{rest}".split(".")[-2:])
        if name in CLOCK_READS and not (name == "timezone.localtime" and _has_arguments(tree, node)):
            yield node.lineno, f"{name} reads a clock that tests cannot move"
    for item in imports(path, tree):
        if item.full in ("django.utils.timezone.now", "django.utils.timezone.localdate", "time.time"):
            yield item.line, f"{item.full} reads a clock that tests cannot move"
    for node in nodes(tree, ast.keyword):
        if node.arg in ("auto_now", "auto_now_add"):
            yield node.value.lineno, f"{node.arg} reads a clock that tests cannot move"


def _has_arguments(tree: ast.Module, node: ast.AST) -> bool:
    call = index(tree).parent.get(node)
    return isinstance(call, ast.Call) and bool(call.args or call.keywords)


def _publishes(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if isinstance(node.func, ast.Attribute) and last(node.func) in PUBLISHES:
            yield node.lineno, f".{last(node.func)}( publishes a task from here"


def _sleeps(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    for node in nodes(tree, ast.Call):
        if last(node.func) != "sleep":
            continue
        # What a test starts may be slow on purpose; the test itself waits for something.
        kinds = FunctionNode | ast.Lambda
        around = next((each for each in index(tree).enclosing(node) if isinstance(each, kinds)), None)
        if isinstance(around, FunctionNode) and around.name.startswith("test_"):
            yield node.lineno, f"{around.name} waits for a time"


RULES = (
    Rule(
        name="one-clock",
        cure="call core.clock.now() or today(), or take the time as a parameter; time.monotonic() for spans",
        applies=_reads_core_clock,
        find=_clock,
        bad=(
            ("wallet/services.py", "from django.utils import timezone\nat = timezone.now()\n"),
            ("wallet/models.py", "created_at = models.DateTimeField(default=timezone.now)\n"),
            ("wallet/models.py", "created_at = models.DateTimeField(auto_now_add=True)\n"),
            ("payments/services.py", "import datetime\nat = datetime.datetime.utcnow()\n"),
            ("payments/services.py", "from datetime import datetime, UTC\nat = datetime.now(UTC)\n"),
            ("events/relay.py", "import time\nstarted = time.time()\n"),
            ("events/relay.py", "from time import time\n"),
            ("events/relay.py", "from datetime import datetime as moment\nat = moment.now()\n"),
        ),
        good=(
            (
                "core/clock.py",
                "from datetime import datetime, UTC\ndef now():\n    return datetime.now(UTC)\n",
            ),
            ("wallet/services.py", "from core import clock\nat = clock.now()\n"),
            ("events/relay.py", "import time\nstarted = time.monotonic()\n"),
            ("console/views.py", "from django.utils import timezone\nshown = timezone.localtime(at)\n"),
        ),
    ),
    Rule(
        name="only-nudges-publish",
        cure="write a row with its due time, and call the app's nudges.py after commit",
        applies=_not_a_nudge,
        find=_publishes,
        bad=(
            ("payments/services.py", "submit.delay(charge_id)\n"),
            ("events/tasks.py", "deliver.apply_async(args=[1], countdown=5)\n"),
            ("wallet/services.py", "app.send_task('wallet.settle')\n"),
        ),
        good=(
            ("payments/nudges.py", "submit.delay()\n"),
            ("core/drain.py", "task.apply_async()\n"),
            ("wallet/services.py", "nudge_relay()\n"),
        ),
    ),
    Rule(
        name="tests-wait-for-conditions",
        cure="wait with tests.waiting.eventually for what must become true",
        applies=lambda path: python(path) and top(path) == "tests",
        find=_sleeps,
        bad=(
            ("tests/core/test_drain.py", "import time\ndef test_it():\n    time.sleep(1)\n"),
            ("tests/core/test_drain.py", "from time import sleep\ndef test_it():\n    sleep(0.1)\n"),
        ),
        good=(
            ("tests/core/test_drain.py", "def test_it():\n    eventually(lambda: done(), what='done')\n"),
            ("tests/waiting.py", "import time\ndef eventually():\n    time.sleep(0.05)\n"),
            ("tests/core/test_drain.py", "def test_it():\n    serve(lambda: time.sleep(3))\n"),
            ("tests/faults/wire.py", "import time\ndef drip(line):\n    time.sleep(0.05)\n"),
        ),
    ),
)
