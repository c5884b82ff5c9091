"""The network is reached from few modules, and never inside a transaction."""

import ast
import re
from pathlib import PurePosixPath

from ..rule import Found, Rule, python
from ..syntax import FunctionNode, decorators, dotted, functions, imports, index, nodes
from ..tree import in_product

NETWORK_MODULES = re.compile(
    r"(?:requests|httpx|urllib3|urllib\.request|http\.client|socket|ssl|stripe|aiohttp|ftplib|smtplib|paramiko|websockets"
    r"|socketserver|telnetlib|pycurl|confluent_kafka)(?:\.|$)"
)
MAY_REACH = re.compile(
    r"channels/|payments/psp/|payouts/providers/|reconciliation/(?:fetchers|sources)/|events/(?:senders?|delivery|deliveries|resolver|streams)(?:/|\w*\.py$)"
)
# Names that stand for a connection, wherever they are held.
LINES = {"client", "session", "http", "sdk", "connection", "opener", "transport", "sock", "socket"}
SETUP = {"construct_event", "mount", "close", "update", "StripeClient", "Session", "Client"}


def _product(path: PurePosixPath) -> bool:
    return python(path) and in_product(path)


def _caller(path: PurePosixPath) -> bool:
    return _product(path) and MAY_REACH.match(path.as_posix()) is not None


def _reach(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    if MAY_REACH.match(path.as_posix()):
        return
    for item in imports(path, tree):
        # Only `import urllib` and `import http` hide the module they will reach for, so they count whole.
        if NETWORK_MODULES.match(item.full) or (not item.name and item.module in ("urllib", "http")):
            yield item.line, f"{item.full} reaches the network from here"


def _is_call_out(path: PurePosixPath, tree: ast.Module, node: ast.Call) -> bool:
    chain = dotted(node.func).replace("()", "").replace("[]", "").split(".")
    if chain[-1] in SETUP or chain[-1][:1].isupper():
        return False
    bound = {item.bound for item in imports(path, tree) if NETWORK_MODULES.match(item.full)}
    if chain[0] in bound and chain[0] not in ("socket", "ssl"):
        return True
    if chain[-1] in ("urlopen", "create_connection", "getaddrinfo"):
        return True
    # Somebody is handed the line to talk over it: send(client).
    handed = len(chain) == 1 and any(isinstance(each, ast.Name) and each.id in LINES for each in node.args)
    return handed or any(part.strip("_") in LINES for part in chain[:-1])


def _callees(node: FunctionNode) -> set[str]:
    found = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call):
            if isinstance(inner.func, ast.Name):
                found.add(inner.func.id)
            elif isinstance(inner.func, ast.Attribute) and dotted(inner.func.value) in ("self", "cls"):
                found.add(inner.func.attr)
    return found


def _undecorated(path: PurePosixPath, tree: ast.Module, source: str) -> Found:
    known = index(tree)
    reaching = set()
    for call in nodes(tree, ast.Call):
        if _is_call_out(path, tree, call):
            reaching |= {outer for outer in known.enclosing(call) if isinstance(outer, FunctionNode)}
    grown = True
    while grown:
        names = {node.name for node in reaching}
        more = {node for node in functions(tree) if node not in reaching and _callees(node) & names}
        reaching |= more
        grown = bool(more)
    for node in reaching:
        public = not node.name.startswith("_")
        inside = any(isinstance(outer, FunctionNode) for outer in known.enclosing(node))
        if public and not inside and "forbids_transaction" not in decorators(node):
            yield node.lineno, f"{node.name} talks to the network and does not forbid a transaction"


_ADAPTER = """
    import requests

    class Adapter:
        {word}
        def capture(self, *, key):
            return self._send(key)

        def _send(self, key):
            return self._client.payment_intents.capture(key)
"""

RULES = (
    Rule(
        name="network-only-at-the-edge",
        cure="put the call into channels, payments/psp, payouts/providers or the senders of events",
        applies=_product,
        find=_reach,
        bad=(
            ("payments/services.py", "import requests\n"),
            ("wallet/services.py", "from urllib.request import urlopen\n"),
            ("payments/services.py", "def f():\n    import stripe\n"),
            ("core/health.py", "import urllib\n"),
            ("events/relay.py", "from http import client\n"),
            ("events/services.py", "from confluent_kafka import Producer\n"),
        ),
        good=(
            ("channels/client.py", "import requests, stripe\n"),
            ("payments/psp/stripe_adapter.py", "import stripe\n"),
            ("events/sender.py", "import socket\n"),
            ("events/streams/kafka_topic.py", "from confluent_kafka import Producer\n"),
            ("payments/services.py", "from urllib.parse import urlsplit\nfrom http import HTTPStatus\n"),
        ),
    ),
    Rule(
        name="network-forbids-a-transaction",
        cure="decorate it with core.transactions.forbids_transaction: a rollback cannot recall a payment",
        applies=_caller,
        find=_undecorated,
        bad=(
            ("payments/psp/stripe_adapter.py", _ADAPTER.format(word="")),
            (
                "channels/client.py",
                "import requests\ndef get(url):\n    return requests.get(url, timeout=1)\n",
            ),
            (
                "events/sender.py",
                "from urllib.request import urlopen\ndef send(url):\n    return urlopen(url)\n",
            ),
            (
                "events/resolver.py",
                "import socket\ndef resolve(host):\n    return socket.getaddrinfo(host, 443)\n",
            ),
            ("channels/exchange.py", "def call(send, client):\n    return send(client)\n"),
            (
                "reconciliation/sources/sftp.py",
                "import paramiko\ndef fetch():\n    return paramiko.connect()\n",
            ),
        ),
        good=(
            ("payments/psp/stripe_adapter.py", _ADAPTER.format(word="@forbids_transaction")),
            ("channels/client.py", "import stripe\ndef build(key):\n    return stripe.StripeClient(key)\n"),
            ("payments/psp/stripe_adapter.py", "def to_outcome(body):\n    return body.get('status')\n"),
        ),
    ),
)
