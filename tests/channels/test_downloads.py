"""Files of a provider: streamed, bounded, whole or not at all, and from its own hosts alone."""

import hashlib
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any

import pytest

from channels import breaker, rows
from channels.errors import NoAnswer, NotSent
from channels.services import Downloaded, download
from channels.types import Exchange
from tests.channels.lines import open_channel

pytestmark = pytest.mark.django_db
BODY = b"a,b\n1,2\n" * 50_000


class _Answers(BaseHTTPRequestHandler):
    """A provider's host."""

    seen: list[tuple[str, str]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers.get("Authorization", "")))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:9/stolen")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Length", str(len(BODY)))
        self.end_headers()
        self.wfile.write(BODY[:-10] if self.path == "/cut" else BODY)

    def log_message(self, format: str, *args: Any) -> None:
        """Nobody reads it."""


@pytest.fixture
def host() -> Iterator[str]:
    """Its address."""
    rows.forget()
    breaker.forget()
    _Answers.seen = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def fetch(host: str, url: str, *, largest: int = 10**7, **channel: Any) -> tuple[Exchange, bytes]:
    to = BytesIO()
    line = open_channel(**{"base_url": host, **channel})
    exchange = download(channel=line, kind="file", url=url, to=to, largest=largest, seconds=5)
    return exchange, to.getvalue()


@pytest.mark.parametrize("url", ["/file", "{host}/file"])
def test_a_file_comes_whole_with_its_digest(host: str, url: str) -> None:
    """The evidence is the digest and the size, not the body."""
    exchange, content = fetch(host, url.format(host=host))
    digest = hashlib.sha256(BODY).hexdigest()
    assert exchange.result == Downloaded(200, digest, len(BODY)) and content == BODY
    [call] = exchange.calls
    assert digest.encode() in call.body and len(call.body) < 200 and call.http_status == 200
    assert _Answers.seen == [("/file", "Bearer sk_test_secret")]


def test_what_is_cut_off_or_too_large_is_no_file(host: str) -> None:
    for url, largest in (("/cut", 10**7), ("/file", len(BODY) - 1)):
        exchange, _ = fetch(host, url, largest=largest)
        assert isinstance(exchange.error, NoAnswer) and exchange.result is None


def test_other_answers_are_told_and_not_written(host: str) -> None:
    """A redirect is not followed: our key would go with it."""
    for url, status in (("/none", 404), ("/redirect", 302)):
        exchange, content = fetch(host, url)
        assert (exchange.result.status, content) == (status, b"")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:9/file",
        "https://files.stripe.com/v1/files/1",
        "http://user@127.0.0.1/file",
        "file:///etc/passwd",
    ],
)
def test_our_key_goes_nowhere_else(host: str, url: str) -> None:
    """Nothing is sent to a host that is not the channel's."""
    exchange, content = fetch(host, url)
    assert isinstance(exchange.error, NotSent) and exchange.sent is False
    assert (content, _Answers.seen) == (b"", [])


def test_without_a_base_url_it_is_the_providers_own_host(host: str) -> None:
    exchange, _ = fetch(host, f"{host}/file", base_url="")
    assert isinstance(exchange.error, NotSent) and _Answers.seen == []
