"""The process itself: start, stop, kill, the clock, reset, cost, raw HTTP."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import stripe

PAY = {"amount": 1000, "currency": "usd", "payment_method_types": ["card"], "payment_method": "pm_card_visa",
       "confirm": True}  # fmt: skip


def test_starts_and_stops_fast(own_sandbox):
    started = time.monotonic()
    box = own_sandbox()
    assert time.monotonic() - started < 1.5
    box.arm("not_charged_timeout")
    with pytest.raises(stripe.APIConnectionError):
        box.client("sk_test_x", timeout=0.2).v1.balance.retrieve()
    idle = socket.create_connection(("127.0.0.1", box.info["port"]))
    stopped = time.monotonic()
    assert box.end(signal.SIGTERM) == 0
    assert time.monotonic() - stopped < 2
    idle.close()


def test_an_occupied_port_is_said(own_sandbox, tmp_path):
    import subprocess

    box = own_sandbox()
    other = subprocess.run(
        [sys.executable, "-m", "sandbox", "--port", str(box.info["port"]), "--data", str(tmp_path / "other")],
        capture_output=True, text=True, timeout=10,
    )  # fmt: skip
    assert other.returncode == 1
    assert "cannot listen" in other.stderr


def test_journal_and_state_survive_kill_9_under_load(own_sandbox):
    """Whatever was acknowledged before SIGKILL is there afterwards, and the keys still replay it."""
    box = own_sandbox()
    acknowledged: dict[str, str] = {}
    guard, enough = threading.Lock(), threading.Event()

    def buyer(number: int) -> None:
        v1 = box.client("sk_test_kill").v1
        for turn in range(10_000):
            key = f"{number}-{turn}"
            try:
                intent = v1.payment_intents.create(
                    {**PAY, "metadata": {"key": key}}, {"idempotency_key": key}
                )
            except stripe.APIConnectionError:
                return
            with guard:
                acknowledged[key] = intent.id
                if len(acknowledged) == 60:
                    enough.set()

    with ThreadPoolExecutor(4) as pool:
        for number in range(4):
            pool.submit(buyer, number)
        assert enough.wait(15)
        box.end(signal.SIGKILL)
    box.start(port=box.info["port"])
    entries = {row["idempotency_key"]: row["payment_intent"] for row in box.get("journal")}
    assert acknowledged.items() <= entries.items()
    assert len(entries) == len(box.get("journal"))
    assert len(entries) - len(acknowledged) <= 4
    v1 = box.client("sk_test_kill").v1
    for key, identifier in list(acknowledged.items())[-5:]:
        params = {**PAY, "metadata": {"key": key}}
        assert v1.payment_intents.create(params, {"idempotency_key": key}).id == identifier
        assert v1.payment_intents.retrieve(identifier).status == "succeeded"
    fresh = v1.payment_intents.create(PAY, {"idempotency_key": "fresh"})
    assert fresh.id not in acknowledged.values()


def test_open_webhooks_survive_kill_9(own_sandbox, receiver, until):
    box = own_sandbox("--webhook-url", receiver.url, "--webhook-secret", "whsec_cli")
    box.control("POST", "webhooks", {"mode": "pause"})
    box.client("sk_test_x").v1.payment_intents.create(PAY)
    assert receiver.got == []
    box.end(signal.SIGKILL)
    box.start()
    until(lambda: len(receiver.got) == 3)
    headers, body = receiver.got[0]
    assert stripe.Webhook.construct_event(body, headers["stripe-signature"], "whsec_cli")


def test_the_journal_refuses_to_be_changed(own_sandbox):
    import sqlite3

    box = own_sandbox()
    box.client("sk_test_x").v1.payment_intents.create(PAY)
    box.end()
    with sqlite3.connect(box.data / "sandbox.sqlite3") as connection:
        for statement in ("UPDATE journal SET amount = 1", "DELETE FROM journal"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute(statement)
    connection.close()


def test_an_authorisation_expires_after_seven_days(own_sandbox):
    """F-A17."""
    box = own_sandbox()
    v1 = box.client("sk_test_x").v1
    intent = v1.payment_intents.create({**PAY, "capture_method": "manual"})
    assert box.control("POST", "clock", {"seconds": 6 * 86400})["expired"] == []
    assert box.control("POST", "clock", {"seconds": 2 * 86400})["expired"] == [intent.id]
    with pytest.raises(stripe.InvalidRequestError) as caught:
        v1.payment_intents.capture(intent.id)
    assert caught.value.code == "charge_expired_for_capture"
    now = v1.payment_intents.retrieve(intent.id)
    assert (now.status, now.cancellation_reason) == ("canceled", "automatic")
    assert [row["kind"] for row in box.get("journal")] == ["charge.authorized", "authorization.released"]


def test_funds_become_available_when_the_clock_moves(own_sandbox):
    box = own_sandbox()
    v1 = box.client("sk_test_x").v1
    v1.payment_intents.create(PAY)
    box.control("POST", "clock", {"seconds": 2 * 86400 + 1})
    assert v1.balance.retrieve().available[0].amount == 941
    assert v1.balance_transactions.list().data[0].status == "available"


def test_reset_forgets_everything(own_sandbox):
    box = own_sandbox()
    v1 = box.client("sk_test_x").v1
    first = v1.payment_intents.create(PAY, {"idempotency_key": "k"})
    box.arm("http_503")
    box.control("POST", "clock", {"seconds": 100})
    box.control("POST", "reset", {})
    assert (box.get("journal"), box.get("requests"), box.get("faults")) == ([], [], [])
    assert box.control("GET", "clock")["offset"] == 0
    assert v1.payment_intents.create(PAY, {"idempotency_key": "k"}).id != first.id


def test_a_delivery_in_flight_does_not_touch_what_comes_after_a_reset(own_sandbox, receiver, until):
    box = own_sandbox("--webhook-url", receiver.url)
    held, gate = threading.Event(), threading.Event()
    receiver.hook = lambda body: (held.set(), gate.wait(10))
    box.client("sk_test_x").v1.payment_intents.create(PAY)
    assert held.wait(10)
    box.control("POST", "reset", {})
    box.arm("webhook_hold")
    box.client("sk_test_x").v1.payment_intents.create(PAY)
    gate.set()
    until(lambda: len(receiver.got) == 1)
    assert [row["state"] for row in box.get("deliveries")] == ["held"] * 3


def test_pages(sandbox):
    page = requests.get(f"{sandbox.url}/", timeout=5)
    assert page.status_code == 200
    assert "The world outside" in page.text
    assert requests.get(f"{sandbox.url}/nowhere", timeout=5).status_code == 404
    assert requests.get(f"{sandbox.url}/_bank/3ds/pi_x/y", timeout=5).status_code == 410
    described = sandbox.control("GET", "")
    assert described["api_version"] == "2026-10-28.endive"


def exchange(sandbox, data: bytes) -> bytes:
    """Send raw bytes, return everything answered until the connection ends."""
    with socket.create_connection(("127.0.0.1", sandbox.info["port"]), timeout=5) as sock:
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := sock.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", b"400"),
        (b"POST /v1/balance HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"400"),
        (b"POST /v1/balance HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
        (b"POST /v1/balance HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b"411"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 70_000, b"431"),
        (b"GET /healthz HTTP/1.0\r\n\r\n", b"200"),
    ],
)
def test_raw_http(sandbox, data, status):
    assert exchange(sandbox, data).split(b" ")[1] == status


def test_two_requests_in_one_packet(sandbox):
    answer = exchange(sandbox, b"GET /healthz HTTP/1.1\r\n\r\n" * 2)
    assert answer.count(b"HTTP/1.1 200 OK") == 2


def test_json_bodies_and_bad_forms_are_refused(account):
    headers = {"Authorization": f"Bearer {account.key}"}
    url = f"{account.sandbox.url}/v1/payment_intents"
    assert requests.post(url, json={"amount": 1}, headers=headers, timeout=5).status_code == 400
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    assert requests.post(url, data=b"amount=1&amount[x]=2", headers=form, timeout=5).status_code == 400
    assert requests.post(url, data=b"\xff\xfe", headers=form, timeout=5).status_code == 400
    answer = requests.get(f"{account.sandbox.url}/v1/balance", auth=(account.key, ""), timeout=5)
    assert answer.status_code == 200
    assert requests.get(f"{account.sandbox.url}/v1/balance", timeout=5).status_code == 401
