"""One POST against hostile servers: pinned address, verified name, bounded time and size."""

import gzip
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.transactions import at_edge
from events import resolver, sender, targets
from events.sender import Answer, Sender
from events.targets import read_target
from tests.events.receiver import Handler, Receiver, receiving
from tests.events.test_targets import answering

BODY = b'{"object":"event"}'


@pytest.fixture
def client() -> Iterator[Sender]:
    client = Sender()
    yield client
    client.close()


def post(client: Sender, url: str) -> Answer:
    return client.send(read_target(url, mode="test"), body=BODY, headers={"webhook-id": "evt_1"})


@pytest.fixture
def shown(monkeypatch: Any) -> None:
    """Treat this machine as public, so that excerpts are kept."""
    monkeypatch.setattr(targets, "is_public", lambda address: True)


def test_what_a_private_address_answers_is_not_shown(client: Sender, receiver: Receiver) -> None:
    """A-G7."""
    receiver.behave = lambda handler: handler.answer(200, b"internal secret")
    assert (post(client, receiver.url).status, post(client, receiver.url).excerpt) == (200, "")


def test_the_first_kilobyte_is_kept_as_plain_text(client: Sender, receiver: Receiver, shown: None) -> None:
    """A-G7, A-G6: printable text only, at most 1 KB; nothing is decompressed."""
    receiver.behave = lambda handler: handler.answer(200, b"<b>\x00\x1b[31m\xff" + b"x" * 5000)
    excerpt = post(client, receiver.url).excerpt
    assert excerpt.startswith("<b>\ufffd\ufffd[31m\ufffdx")
    assert len(excerpt) <= 1024
    bomb = gzip.compress(b"0" * 10_000_000)
    receiver.behave = lambda handler: handler.answer(200, bomb, Content_Encoding="gzip")
    assert "000" not in post(client, receiver.url).excerpt
    assert receiver.got[-1].headers["accept-encoding"] == "identity"


def endless(handler: Handler) -> None:
    """Announce a gigabyte and send it until the other side hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10**9))
    handler.end_headers()
    sent = 0
    try:
        while sent < 10**9:
            handler.wfile.write(b"x" * 65536)
            sent += 65536
    except OSError:
        handler.server.sent = sent  # type: ignore[attr-defined]
        handler.close_connection = True


def endless_headers(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for index in range(99):
        handler.wfile.write(b"X-%d: " % index + b"x" * 60_000 + b"\r\n")


def endless_chunks(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500_000)


def test_a_gigabyte_is_cut(client: Sender, receiver: Receiver) -> None:
    """F-J6, A-G6: 64 KB are read, the status counts, the connection is not used again."""
    receiver.behave = endless
    started = time.monotonic()
    answer = post(client, receiver.url)
    assert (answer.status, client._idle) == (200, {})
    assert time.monotonic() - started < 5


def test_headers_without_end_are_cut(client: Sender, receiver: Receiver) -> None:
    """A-G6: no answer at all, because it never began."""
    receiver.behave = endless_headers
    assert post(client, receiver.url).error == "TooLarge: the answer is too large"


def test_a_body_in_tiny_chunks_is_cut(client: Sender, receiver: Receiver) -> None:
    receiver.behave = endless_chunks
    assert (post(client, receiver.url).status, client._idle) == (200, {})


def drip_headers(handler: Handler) -> None:
    _drip(handler, b"HTTP/1.1 200 OK\r\n" + b"X-Slow: 1\r\n" * 100)


def drip_body(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    _drip(handler, b"x" * 1000)


def go_on_and_on(handler: Handler) -> None:
    _drip(handler, b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def _drip(handler: Handler, data: bytes) -> None:
    handler.close_connection = True
    for index in range(len(data)):
        try:
            handler.wfile.write(data[index : index + 1])
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("behave", "status"),
    [(drip_headers, None), (go_on_and_on, None), (drip_body, 200), (lambda handler: time.sleep(3), None)],
)
def test_bytes_in_drips_end_in_time(
    client: Sender, receiver: Receiver, monkeypatch: Any, behave: Any, status: int | None
) -> None:
    """F-J1, A-G6: the limit is on the whole exchange, however alive the other side looks."""
    monkeypatch.setattr(sender, "TOTAL_SECONDS", 0.6)
    receiver.behave = behave
    started = time.monotonic()
    assert post(client, receiver.url).status == status
    assert 0.5 < time.monotonic() - started < 2.5


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\x01\x02\r\n\r\n", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 abc\r\n\r\n"]
)
def test_garbage_is_no_answer(client: Sender, receiver: Receiver, garbage: bytes) -> None:
    def behave(handler: Handler) -> None:
        handler.wfile.write(garbage)
        handler.close_connection = True

    receiver.behave = behave
    answer = post(client, receiver.url)
    assert (answer.status, answer.error != "") == (None, True)


def test_a_name_that_changes_its_address(
    client: Sender, receiver: Receiver, settings: Any, monkeypatch: Any
) -> None:
    """A-G4: resolved once per connection; the address that was judged is the one that is used."""
    asked: list[str] = []
    answers = iter(["127.0.0.1", "169.254.169.254", "127.0.0.1"])

    def rebinding(host: str, port: int, **options: Any) -> Any:
        asked.append(host)
        return answering(next(answers))(host, port, **options)

    monkeypatch.setattr(resolver.socket, "getaddrinfo", rebinding)
    connected: list[Any] = []

    def connect(address: tuple[str, int], **_: Any) -> socket.socket:
        connected.append(address)
        return _direct(address)

    monkeypatch.setattr(sender.socket, "create_connection", connect)
    url = f"http://store.test:{receiver.port}/hooks"
    assert post(client, url).status == 200
    assert (asked, connected) == (["store.test"], [("127.0.0.1", receiver.port)])
    assert receiver.got[0].headers["host"] == f"store.test:{receiver.port}"
    client.close()
    refused = post(client, url)
    assert (refused.status, refused.error) == (None, "url_not_allowed")
    assert len(connected) == 1


def _direct(address: tuple[str, int]) -> socket.socket:
    line = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    line.connect(address)
    return line


def test_a_kept_connection_ends_after_a_minute(client: Sender, receiver: Receiver, monkeypatch: Any) -> None:
    """A-G4: then the name is asked and judged again."""
    post(client, receiver.url)
    post(client, receiver.url)
    assert len({got.client for got in receiver.got}) == 1
    monkeypatch.setattr(sender, "_OLDEST_SECONDS", 0.0)
    post(client, receiver.url)
    assert len({got.client for got in receiver.got}) == 2


@at_edge
def _inside_a_transaction(client: Sender, url: str) -> Answer:
    return post(client, url)


@pytest.mark.django_db(transaction=True)
def test_nothing_is_sent_inside_a_transaction(client: Sender, receiver: Receiver) -> None:
    with pytest.raises(RuntimeError, match="must not be in a transaction"):
        _inside_a_transaction(client, receiver.url)
    assert receiver.got == []


class Authority:
    """A certificate authority of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.certificate = self._sign(self.name, self.key.public_key(), [], is_authority=True)

    def server(self, *names: str) -> ssl.SSLContext:
        """Return the server side of a host with these names."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        certificate = self._sign(subject, key.public_key(), list(names), is_authority=False)
        file = self.folder / "server.pem"
        file.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def _sign(
        self, subject: x509.Name, key: Any, names: list[str], *, is_authority: bool
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(is_authority, None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
        )
        if is_authority:
            others = (
                "digital_signature content_commitment key_encipherment data_encipherment key_agreement "
                "encipher_only decipher_only"
            )
            usage = dict.fromkeys(others.split(), False)
            builder = builder.add_extension(
                x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True
            )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False
            )
        return builder.sign(self.key, hashes.SHA256())


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


@pytest.mark.parametrize(
    ("names", "trusted", "status"),
    [
        (["hooks.example.com"], True, 200),
        (["hooks.example.com"], False, None),  # Signed by nobody we know.
        (["other.example.com"], True, None),
        (["127.0.0.1"], True, None),  # The address is right, the name is what counts.
    ],
)
def test_the_certificate_is_verified_against_the_name(
    client: Sender,
    loopback: None,
    tmp_path: Path,
    monkeypatch: Any,
    names: list[str],
    trusted: bool,
    status: int | None,
) -> None:
    """A-G4, A-G6: connected to the judged address, with the name in SNI and in the check."""
    authority = Authority(tmp_path)
    context = ssl.create_default_context(cadata=authority.pem) if trusted else sender.tls_context()
    monkeypatch.setattr(sender, "tls_context", lambda: context)
    monkeypatch.setattr(resolver.socket, "getaddrinfo", answering("127.0.0.1"))
    monkeypatch.setattr(sender.socket, "create_connection", lambda address, **_: _direct(address))
    seen: list[str] = []
    server = authority.server(*names)
    server.sni_callback = lambda line, name, context: seen.append(name)
    with receiving(tls=server) as receiver:
        answer = post(client, f"https://hooks.example.com:{receiver.port}/hooks")
    assert (answer.status, seen) == (status, ["hooks.example.com"])
    assert len(receiver.got) == (status is not None)
    if status is None:
        assert "CERTIFICATE_VERIFY_FAILED" in answer.error


def test_the_context_verifies() -> None:
    context = sender.tls_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2
