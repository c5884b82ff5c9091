"""The quickstart of the README does what it says, typed as it stands; so do the runnable blocks of docs."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.documents import runnable
from tests.ops.launched import Launch, Tree
from tests.waiting import eventually

pytestmark = [
    pytest.mark.launcher,
    pytest.mark.processes,
    pytest.mark.skipif(shutil.which("curl") is None, reason="the quickstart is typed with curl"),
]

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """`make run`, in a copy of the tree whose .venv is the one of this test run.

    For each try anew: what a try that took too long has paid must not be in the books of the next.
    """
    tree = Tree(tmp_path_factory.mktemp("quickstart"))
    (tree.root / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    launch = tree.start()
    try:
        launch.await_up()
        yield launch
    finally:
        launch.clean_up()


def quickstart() -> str:
    found = re.search(r"<!-- quickstart -->\n```sh\n(.*?)```", README.read_text(), re.DOTALL)
    assert found, "the README has no quickstart"
    return found[1]


def documents(text: str) -> list[Any]:
    """Every JSON object of the output, in order."""
    found, position, decoder = [], 0, json.JSONDecoder()
    while (position := text.find("{", position)) >= 0:
        value, position = decoder.raw_decode(text, position)
        found.append(value)
    return found


def typed(running: Launch, text: str) -> str:
    """Type it into a shell in the tree; return what it printed."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=running.tree.root,
        env=running.tree.environment(),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (text, done.stdout, done.stderr)
    return done.stdout


def test_the_quickstart_pays_two_sellers(running: Launch) -> None:
    output = typed(running, quickstart())
    books = output.index("account ")
    accepted, order, wallets, _ = documents(output[:books])
    assert accepted["status"] == "open"
    assert (order["payment_order_status"], order["captured"]) == ("SUCCESS", "90.00")
    assert order["wallet_updated"] and order["ledger_updated"]
    assert [step["to"] for step in order["timeline"] if step["what"] == "payment_order"] == [
        *("NOT_STARTED", "EXECUTING", "SUCCESS"),
    ]
    assert [(wallet["currency"], wallet["pending"]) for wallet in wallets["data"]] == [("USD", "81.00")]
    assert re.search(r"sum USD +100\.00 +100\.00", output[books:])
    assert re.findall(r"(\d+) violated", output[books:]) == ["0"]

    def told() -> list[Any]:
        facts = running.tree.dev_file()
        answer = subprocess.run(
            ["curl", "-sS", f"{facts['sandbox_url']}/_sandbox/store/webhooks?verified=true"],
            capture_output=True,
            check=True,
        )
        events = [json.loads(delivery["body"]) for delivery in json.loads(answer.stdout)["data"]]
        paid = [event for event in events if event["type"] == "payment.succeeded"]
        return paid if len(paid) == 2 else []

    paid = eventually(told, what="the store is told of both orders")
    assert {event["data"]["object"]["captured"] for event in paid} == {"90.00", "10.00"}
    # In the same system, because starting one is what takes time.
    for block in runnable():
        accepted, *_ = documents(typed(running, block.text))
        assert accepted["status"] == "open", block.page
