"""Where a webhook may go: one strict reading of the URL, before any name is resolved."""

import re
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from django.conf import settings

from events.addresses import AllowedNetwork, is_allowed, is_public, read_allowed_networks
from events.errors import UrlNotAllowed

__all__ = ["Target", "judge_address", "read_own_target", "read_target"]

_PORTS = {"https": 443, "http": 80}
_PUBLIC_PORTS = (443, 8443)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_UNSAFE = re.compile(r"[^\x21-\x7e]|[\\<>\"{}|^`]")
_LONGEST = 500


@dataclass(frozen=True)
class Target:
    """One endpoint as a network place. `networks` are the private ones that this merchant may use."""

    scheme: str
    host: str
    port: int
    path: str
    networks: tuple[AllowedNetwork, ...]

    @property
    def host_header(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def read_target(url: str, *, mode: str) -> Target:
    """Read an endpoint's URL for a merchant in this mode. Raises UrlNotAllowed.

    Plain http, other ports and private addresses pass only into the networks that the operator opened,
    and only for test merchants.
    """
    networks = read_allowed_networks(tuple(settings.WEBHOOK_ALLOWED_NETWORKS)) if mode == "test" else ()
    return _read(url, networks)


def read_own_target(url: str) -> Target:
    """Read a URL that the operator himself has set: it may be anywhere. Raises UrlNotAllowed."""
    return _read(url, read_allowed_networks(("0.0.0.0/0", "[::/0]")))


def _read(url: str, networks: tuple[AllowedNetwork, ...]) -> Target:
    if len(url) > _LONGEST or _UNSAFE.search(url):
        raise _refused("The URL is too long or holds characters that must be escaped.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise _refused("This is no URL.") from None
    if parts.scheme not in _PORTS or "#" in url or "@" in parts.netloc or parts.netloc.endswith(":"):
        raise _refused("Use https://host/path, without user name and fragment.")
    number = _PORTS[parts.scheme] if port is None else port
    if (parts.scheme == "http" or number not in _PUBLIC_PORTS) and not networks:
        raise UrlNotAllowed(param="url")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, _read_host(host, parts.netloc), number, path, networks)
    if _is_address(target.host):
        judge_address(target, target.host)
    return target


def judge_address(target: Target, address: str) -> bool:
    """Return whether the address is public. Raises UrlNotAllowed when we may not connect to it."""
    if is_allowed(address, target.port, target.networks):
        return is_public(address)
    if target.scheme != "https" or target.port not in _PUBLIC_PORTS or not is_public(address):
        raise UrlNotAllowed(param="url")
    return True


def _read_host(host: str, netloc: str) -> str:
    host = host.removesuffix(".").lower()
    if netloc.startswith("["):
        if "%" in host or not _is_address(host) or not isinstance(ip_address(host), IPv6Address):
            raise _refused("Brackets may hold an IPv6 address only.")
        return host
    labels = host.split(".")
    if not host or len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refused("The host is no name. Write international names in their xn-- form.")
    # Resolvers read 127.1, 0x7f000001 and 0177.0.0.1 as addresses: a host that ends in a number must be
    # an address in its plain form.
    if re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]) and not _is_address(host):
        raise _refused("Write IPv4 addresses as four decimal numbers.")
    return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _refused(message: str) -> UrlNotAllowed:
    return UrlNotAllowed(message, param="url")
