"""Where a webhook may go: tables of addresses and URLs, judged before and after the name is resolved."""

import socket
from typing import Any

import pytest
from django.core.checks.registry import registry

from events import checks, resolver
from events.addresses import is_allowed, is_public, read_allowed_networks
from events.errors import UrlNotAllowed
from events.resolver import NameUnknown, resolve
from events.services import create_endpoint
from events.targets import read_target

PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "100.127.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "::ffff:0:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::a00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public(address: str) -> None:
    """A-G1, A-G2."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "100.63.255.255", "2606:4700::1111", "2a00:1450::1"]
)
def test_addresses_that_are_public(address: str) -> None:
    """The refusals would mean nothing if everything were refused."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com/",
        "http://hooks.example.com/",
        "https://",
        "https:///path",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "gopher://hooks.example.com/",
        "javascript:alert(1)",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:5432/",
        "https://hooks.example.com:6379/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:/",
        "https://user@hooks.example.com/",
        "https://user:pass@hooks.example.com/",
        "https://hooks.example.com@127.0.0.1/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com#@127.0.0.1/",
        "https://[example.com]/",
        "https://[127.0.0.1]/",
        "https://[::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2606:4700::1111%25eth0]/",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://127.1/",
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://①②⑦.0.0.1/",
        "https://bücher.example/",
        "https://hooks.example。com/",
        "https://hooks example.com/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: other",
        "https://hooks.example.com/\x00",
        "https://hooks..example.com/",
        "https://-hooks.example.com/",
        "https://hooks%2eexample.com/",
        "https://" + "a" * 64 + ".example.com/",
        "https://hooks.example.com/" + "a" * 500,
    ],
)
@pytest.mark.parametrize("mode", ["test", "live"])
def test_urls_that_are_refused(url: str, mode: str) -> None:
    """A-G1, A-G3."""
    with pytest.raises(UrlNotAllowed) as refused:
        read_target(url, mode=mode)
    assert (refused.value.status, refused.value.code, refused.value.param) == (422, "url_not_allowed", "url")


@pytest.mark.parametrize(
    ("url", "host_header", "path"),
    [
        ("https://hooks.example.com", "hooks.example.com", "/"),
        ("https://Hooks.Example.com:443/a?b=1&c=%20", "hooks.example.com", "/a?b=1&c=%20"),
        ("https://xn--bcher-kva.example:8443/", "xn--bcher-kva.example:8443", "/"),
        ("https://8.8.8.8/x", "8.8.8.8", "/x"),
        ("https://[2606:4700::1111]:8443/x", "[2606:4700::1111]:8443", "/x"),
    ],
)
def test_urls_that_pass(url: str, host_header: str, path: str) -> None:
    target = read_target(url, mode="live")
    assert (target.host_header, target.path) == (host_header, path)


def answering(*addresses: str) -> Any:
    """Return a resolver that knows one name."""

    def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
        return [
            (socket.AF_INET6 if ":" in each else socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port))
            for each in addresses
        ]

    return getaddrinfo


@pytest.mark.parametrize("address", [each for each in PRIVATE if "%" not in each])
def test_names_of_private_addresses(address: str, monkeypatch: Any) -> None:
    """A-G1, A-G2: the name is harmless, what it resolves to is not, even beside a good address."""
    target = read_target("https://hooks.example.com/", mode="live")
    for addresses in ([address], ["8.8.8.8", address]):
        monkeypatch.setattr(resolver.socket, "getaddrinfo", answering(*addresses))
        with pytest.raises(UrlNotAllowed):
            resolve(target)
    monkeypatch.setattr(resolver.socket, "getaddrinfo", answering("8.8.8.8"))
    assert resolve(target) == [("8.8.8.8", True)]


def test_names_that_nobody_knows(monkeypatch: Any) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    target = read_target("https://hooks.example.com/", mode="live")
    for found in (unknown, answering()):
        monkeypatch.setattr(resolver.socket, "getaddrinfo", found)
        with pytest.raises(NameUnknown):
            resolve(target)


def test_opened_networks_are_for_test_merchants(settings: Any, monkeypatch: Any) -> None:
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32:8200", "10.0.0.0/8"]
    local = read_target("http://127.0.0.1:8200/x", mode="test")
    assert (local.host_header, resolve(local)) == ("127.0.0.1:8200", [("127.0.0.1", False)])
    assert resolve(read_target("https://10.9.8.7/", mode="test")) == [("10.9.8.7", False)]
    for url, mode in (
        ("http://127.0.0.1:8200/x", "live"),
        ("http://127.0.0.1:8201/x", "test"),
        ("http://127.0.0.2:8200/x", "test"),
        ("https://192.168.0.1/", "test"),
        ("http://8.8.8.8/", "test"),
        ("https://8.8.8.8:9000/", "test"),
    ):
        with pytest.raises(UrlNotAllowed):
            read_target(url, mode=mode)
    # A name is judged by what it resolves to: http and odd ports never leave the opened networks.
    monkeypatch.setattr(resolver.socket, "getaddrinfo", answering("8.8.8.8"))
    with pytest.raises(UrlNotAllowed):
        resolve(read_target("http://store.test:8200/", mode="test"))


@pytest.mark.parametrize(
    ("text", "address", "port", "allowed"),
    [
        ("127.0.0.1", "127.0.0.1", 1, True),
        ("127.0.0.0/8:80", "127.9.9.9", 80, True),
        ("127.0.0.0/8:80", "127.9.9.9", 81, False),
        ("[::1/128]:80", "::1", 80, True),
        ("[::1/128]", "::1", 5, True),
        ("::1/128", "::1", 5, True),
        ("::1/128", "127.0.0.1", 5, False),
    ],
)
def test_reading_the_opened_networks(text: str, address: str, port: int, allowed: bool) -> None:
    assert is_allowed(address, port, read_allowed_networks((text,))) is allowed


@pytest.mark.parametrize(
    "text",
    [
        "localhost",
        "127.0.0.1/33",
        "10.0.0.1/8",
        "127.0.0.1/32:",
        "127.0.0.1/32:0",
        "127.0.0.1/32:x",
        "[::1]80",
    ],
)
def test_networks_that_cannot_be_read(text: str, settings: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_allowed_networks((text,))
    settings.WEBHOOK_ALLOWED_NETWORKS = [text]
    assert checks.allowed_networks_are_readable in registry.registered_checks
    assert [found.id for found in checks.allowed_networks_are_readable(None)] == ["events.E001"]


def test_a_deployment_may_open_nothing(settings: Any) -> None:
    assert checks.allowed_networks_are_closed in registry.deployment_checks

    def found() -> list[Any]:
        return [each.id for each in checks.allowed_networks_are_closed(None)]

    settings.WEBHOOK_ALLOWED_NETWORKS = []
    assert found() == []
    settings.WEBHOOK_ALLOWED_NETWORKS = ["127.0.0.1/32"]
    assert found() == ["events.E002"]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("url", "event_types", "problem"),
    [
        ("https://127.0.0.1/", ["*"], ("url_not_allowed", "url")),
        ("https://hooks.example.com/", [], ("invalid_field", "event_types")),
        ("https://hooks.example.com/", ["Payment"], ("invalid_field", "event_types")),
        ("https://hooks.example.com/", ["payment.*"], ("invalid_field", "event_types")),
        ("https://hooks.example.com/", ["a." + "b" * 70], ("invalid_field", "event_types")),
    ],
)
def test_endpoints_that_are_refused(url: str, event_types: list[str], problem: tuple[str, str]) -> None:
    from core.errors import DomainError
    from core.transactions import at_edge
    from events.models import WebhookEndpoint
    from tests.events.cast import open_merchant

    with pytest.raises(DomainError) as refused:
        at_edge(create_endpoint)(merchant_id=open_merchant(), url=url, event_types=event_types)
    assert (refused.value.code, refused.value.param) == problem
    assert WebhookEndpoint.objects.count() == 0
