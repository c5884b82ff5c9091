"""A real sandbox process on free ports, and the official SDK pointed at it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import stripe

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 15.0
_serial = itertools.count(1)


def wait_for(question: Callable[[], Any], *, seconds: float = DEADLINE) -> Any:
    """Ask until the answer is truthy; fails loudly at the deadline."""
    end = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s; last answer: {answer!r}")
        threading.Event().wait(0.01)


class Sandbox:
    """One sandbox process."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data, self.arguments = data, arguments
        self.process: subprocess.Popen[bytes] | None = None
        self.info: dict[str, Any] = {}

    def start(self, *, port: int = 0) -> Sandbox:
        (self.data / "sandbox.json").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", "--port", str(port), "--data", str(self.data), *self.arguments],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            env={"PATH": os.environ["PATH"]},
        )
        place = self.data / "sandbox.json"
        wait_for(lambda: place.exists() or self.process.poll() is not None)
        self.info = json.loads(place.read_text())
        wait_for(self.healthy)
        return self

    def healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=5)

    @property
    def url(self) -> str:
        return self.info["url"]

    def control(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """One control request on the control port."""
        request = urllib.request.Request(
            f"{self.info['control_url']}/_sandbox/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                code, data = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                code, data = error.code, error.read()
        assert code == status, data
        return json.loads(data)

    def get(self, path: str) -> list[dict[str, Any]]:
        return self.control("GET", path)["data"]

    def arm(self, kind: str, **spec: Any) -> dict[str, Any]:
        return self.control("POST", "faults", {"kind": kind, **spec})

    def client(self, key: str, *, timeout: float = 5.0) -> stripe.StripeClient:
        return stripe.StripeClient(
            key,
            base_addresses=dict.fromkeys(("api", "files", "connect", "meter_events"), self.url),
            http_client=stripe.RequestsClient(timeout=(2, timeout)),
            max_network_retries=0,
            stripe_version="2026-10-28.endive",
        )


def item(name: str, unit_amount: int, *, quantity: int = 1, currency: str = "usd") -> dict[str, Any]:
    """One line item of a Checkout Session."""
    price = {"currency": currency, "unit_amount": unit_amount, "product_data": {"name": name}}
    return {"price_data": price, "quantity": quantity}


class Account:
    """A fresh account of a sandbox: its key, its SDK client and its rows of the journal."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.key = f"sk_test_{os.getpid()}_{next(_serial)}"
        self.client = sandbox.client(self.key)
        self.id = sandbox.control("POST", "keys", {"key": self.key})["account"]

    @property
    def v1(self) -> Any:
        return self.client.v1

    def quick(self, *, timeout: float) -> Any:
        """The same account with an impatient client."""
        return self.sandbox.client(self.key, timeout=timeout).v1

    def intent(self, *, key: str | None = None, **params: Any) -> Any:
        """A PaymentIntent of 10.00 USD by card."""
        values = {"amount": 1000, "currency": "usd", "payment_method_types": ["card"], **params}
        return self.v1.payment_intents.create(values, {"idempotency_key": key} if key else {})

    def paid(self, **params: Any) -> Any:
        return self.intent(**{"payment_method": "pm_card_visa", "confirm": True, **params})

    def session(self, *, key: str | None = None, **params: Any) -> Any:
        """A Checkout Session of 10.00 USD for two items."""
        values = {
            "mode": "payment",
            "line_items": [item("Mug", 400), item("Kettle", 300, quantity=2)],
            "success_url": "http://shop.example/done?session={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://shop.example/basket",
            **params,
        }
        return self.v1.checkout.sessions.create(values, {"idempotency_key": key} if key else {})

    def pay(self, session: str, token: str = "pm_card_visa") -> dict[str, Any]:
        """Let a buyer pay a session with a test card; the session afterwards."""
        return self.sandbox.control("POST", f"checkout_sessions/{session}/payment", {"token": token})

    def journal(self, **filters: str) -> list[dict[str, Any]]:
        query = "&".join(f"{name}={value}" for name, value in {"account": self.id, **filters}.items())
        return self.sandbox.get(f"journal?{query}")

    def kinds(self) -> list[str]:
        return [row["kind"] for row in self.journal()]

    def arm(self, kind: str, **spec: Any) -> dict[str, Any]:
        return self.sandbox.arm(kind, account=self.id, **spec)


class Receiver:
    """A webhook endpoint: keeps what it gets, answers what it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        self.guard = threading.Lock()
        self.hook: Callable[[bytes], None] | None = None
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if outer.hook is not None:
                    outer.hook(body)
                with outer.guard:
                    outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                    status = outer.answers.pop(0) if outer.answers else 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Silence."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/hooks"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def events(self) -> list[dict[str, Any]]:
        with self.guard:
            return [json.loads(body) for _, body in self.got]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events()]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("sandbox"), "--webhook-retries", "0.05,0.05,0.05").start()
    yield box
    if box.process.poll() is None:
        assert box.end() == 0


@pytest.fixture
def account(sandbox: Sandbox) -> Iterator[Account]:
    yield Account(sandbox)
    sandbox.control("DELETE", "faults")
    sandbox.control("POST", "webhooks", {"mode": "send"})


@pytest.fixture
def receiver(account: Account) -> Iterator[Receiver]:
    """A webhook receiver registered for the account through the official SDK; ``secret`` signs."""
    hearer = Receiver()
    endpoint = account.v1.webhook_endpoints.create({"url": hearer.url, "enabled_events": ["*"]})
    hearer.secret = endpoint.secret
    yield hearer
    hearer.server.shutdown()
    hearer.server.server_close()


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Starts sandboxes of one's own, for tests that kill them or move their clock."""
    started: list[Sandbox] = []

    def start(*arguments: str) -> Sandbox:
        box = Sandbox(tmp_path / f"data{len(started)}", *arguments)
        box.data.mkdir()
        started.append(box)
        return box.start()

    yield start
    for box in started:
        if box.process.poll() is None:
            box.end(signal.SIGKILL)


@pytest.fixture
def until() -> Callable[..., Any]:
    """``until(question)`` waits for a truthy answer."""
    return wait_for


@pytest.fixture(scope="module")
def moved_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose clock the tests of one module move; it begins at noon, far from any midnight."""
    box = Sandbox(tmp_path_factory.mktemp("nights"), "--webhook-retries", "0.05,0.05,0.05").start()
    noon = 86_400 * 1.5 - box.control("GET", "clock")["now"] % 86_400
    box.control("POST", "clock", {"seconds": noon})
    yield box
    if box.process.poll() is None:
        assert box.end() == 0
