"""The client of the example store waits as long as it is told to, and sends the same request again."""

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import ClassVar

import pytest

STORE = Path(__file__).resolve().parents[2] / "examples" / "store"


class Api(BaseHTTPRequestHandler):
    """Answers what it was given to answer, one after the other."""

    answers: ClassVar[list[tuple[int, dict[str, str]]]] = []
    keys: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.keys.append(self.headers["Idempotency-Key"])
        status, headers = self.answers.pop(0)
        self.send_response(status)
        for name, value in ({"Content-Length": "2"} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    server = HTTPServer(("127.0.0.1", 0), Api)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.setenv("QUITTANCE_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("QUITTANCE_KEY", "sk_test_x")
    monkeypatch.syspath_prepend(str(STORE))
    import quittance

    yield quittance
    del sys.modules["quittance"]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("answers", "pauses", "last"),
    [
        ([(429, {"Retry-After": "7"}), (201, {})], [7], 201),
        ([(409, {"Retry-After": "1"}), (503, {"Retry-After": "0"}), (201, {})], [1, 0.5], 201),
        ([(500, {}), (503, {"Retry-After": "Mon, 30 Nov 2026 13:00:00 GMT"}), (201, {})], [0.2, 0.5], 201),
        ([(409, {})], [], 409),
        ([(429, {"Retry-After": "9"})] * 6, [9] * 5, 429),
    ],
)
def test_it_waits_for_as_long_as_it_is_told(
    client: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[tuple[int, dict[str, str]]],
    pauses: list[float],
    last: int,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(client.time, "sleep", slept.append)
    monkeypatch.setattr(Api, "answers", list(answers))
    monkeypatch.setattr(Api, "keys", [])
    status, _ = client.call("POST", "/v1/payments", {"a": 1}, key="k-1")
    assert (status, slept, Api.answers) == (last, pauses, [])
    assert Api.keys == ["k-1"] * len(answers)
