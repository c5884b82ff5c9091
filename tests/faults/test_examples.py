"""The examples run as they stand, against the running system."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from events.models import WebhookEndpoint
from ops.ports import private_port
from tests.faults.shop import Shop
from tests.stack import http
from tests.waiting import eventually

pytestmark = pytest.mark.processes

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STORE = EXAMPLES / "store" / "store.py"


def environment(shop: Shop, **more: str) -> dict[str, str]:
    return os.environ | {"QUITTANCE_URL": shop.stack.web_url, "QUITTANCE_KEY": shop.secret} | more


@contextmanager
def running(shop: Shop, output: Path, **more: str) -> Iterator[None]:
    """The store, listening until the test is over; what it says goes into a file."""
    with output.open("wb") as out:
        store = subprocess.Popen(
            [sys.executable, str(STORE)], env=environment(shop, **more), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield
        store.terminate()
        assert store.wait(timeout=60) == 0
    finally:
        store.kill()
        store.wait()


def test_the_store_sells_and_believes_only_signed_webhooks(shop: Shop, tmp_path: Path) -> None:
    port, output = private_port(), tmp_path / "store.out"

    def says(text: str, times: int = 1) -> bool:
        return output.read_text().count(text) >= times

    with running(shop, output, PORT=str(port)):
        eventually(lambda: says("bert 2.37 EUR pending"), within=40, what="the store sold")
        eventually(lambda: says("webhook payment.succeeded", 2), within=40, what="both orders were told")
        stamp = str(1 << 33)
        for headers in (
            {},
            {"webhook-id": "x", "webhook-timestamp": stamp, "webhook-signature": "v1,AAAA"},
            {"webhook-timestamp": "x"},
        ):
            forged = http("POST", f"http://127.0.0.1:{port}/", b'{"type": "payment.succeeded"}', headers)
            assert forged.status == 400
        eventually(lambda: says("webhook refused", 3), what="forged webhooks were refused")
    endpoint = WebhookEndpoint.objects.get(merchant_id=shop.merchant_id, url=f"http://127.0.0.1:{port}/")
    assert endpoint.status == "DISABLED", "a store that is stopped leaves no endpoint behind"
    said = output.read_text()
    assert re.findall(r"^(anna|bert) opened$", said, re.MULTILINE) == ["anna", "bert"], said
    assert "anna 38.00 EUR pending" in said
    assert handled(said) == 2


def test_what_no_webhook_told_the_store_is_in_the_feed(shop: Shop) -> None:
    """The endpoint leads to where nobody listens; when the store goes, it goes as well."""
    nobody = f"http://127.0.0.1:{private_port()}/"
    done = subprocess.run(
        [sys.executable, str(STORE)],
        env=environment(shop, WEBHOOK_URL=nobody),
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert done.returncode == 0, (done.stdout, done.stderr)
    assert "webhook" not in done.stdout
    assert handled(done.stdout) == 2
    endpoint = WebhookEndpoint.objects.get(merchant_id=shop.merchant_id, url=nobody)
    assert endpoint.status == "DISABLED"


def handled(said: str) -> int:
    """How many orders the store took for paid, each once however often it was told."""
    return len(re.findall(r"^(?:webhook|feed) payment\.succeeded order-\S+ *$", said, re.MULTILINE))


def test_the_store_is_read_in_one_go() -> None:
    for file in STORE.parent.glob("*.py"):
        assert len(file.read_text().splitlines()) < 100, file.name


@pytest.mark.skipif(shutil.which("curl") is None, reason="the scripts are typed with curl")
def test_the_scripts_do_what_they_say(shop: Shop) -> None:
    def run(name: str, *arguments: str) -> list[Any]:
        script = str(EXAMPLES / "curl" / name)
        done = subprocess.run(
            ["sh", script, *arguments],
            env=environment(shop, ORDER="order-of-curl"),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()]

    [endpoint] = run("webhooks.sh", f"http://127.0.0.1:{private_port()}/")
    assert endpoint["secret"].startswith("whsec_")
    for account in ("anna", "bert"):
        assert run("open_seller.sh", account)[0]["seller_account"] == account
    accepted, final = run("pay.sh")
    assert (accepted["status"], final["status"], final["metadata"]) == ("open", "succeeded", {"cart": "7"})
    assert run("pay.sh")[0] == accepted
    methods, orders, wallets = run("list.sh", "anna")
    assert [each["payment_method"] for each in methods["data"]] == ["card", "hosted_page"]
    assert [each["captured"] for each in orders["data"]] == ["40.00"]
    assert [each["pending"] for each in wallets["data"]] == ["38.00"]
    paid = ("payment.succeeded", "order-of-curl-1")

    def seen() -> list[str]:
        pages = run("events.sh")
        assert not pages[-1]["has_more"]
        events = [event for page in pages for event in page["data"]]
        about = [(event["type"], event["data"]["object"].get("payment_order_id")) for event in events]
        return [page["next_cursor"] for page in pages] if paid in about else []

    last = eventually(seen, what="the feed tells of the payment")[-1]
    assert [page["data"] for page in run("events.sh", last)] == [[]]
    [rotated] = run("webhooks.sh", endpoint["id"], "rotate")
    assert rotated["secret"] not in ("", endpoint["secret"])
    assert run("webhooks.sh", endpoint["id"], "rotate") == [rotated], "sent again it is the same rotation"
    [sent] = run("webhooks.sh", endpoint["id"])
    assert {each["webhook_endpoint"] for each in sent["data"]} == {endpoint["id"]}
    [removed] = run("webhooks.sh", endpoint["id"], "remove")
    assert removed["status"] == "disabled"
