"""Which network addresses we may connect to on behalf of a store: public unicast, and nothing else."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

__all__ = ["AllowedNetwork", "is_allowed", "is_public", "read_allowed_networks"]

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# On top of `is_global`, which lets multicast and every IPv6 form that carries an IPv4 address through.
_REFUSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network (RFC 791)
        "100.64.0.0/10",  # carrier-grade NAT (RFC 6598)
        "192.0.0.0/24",  # protocol assignments (RFC 6890)
        "192.88.99.0/24",  # 6to4 relays (RFC 7526)
        "198.18.0.0/15",  # benchmarking (RFC 2544)
        "224.0.0.0/4",  # multicast (RFC 5771)
        "240.0.0.0/4",  # reserved, and broadcast (RFC 1112)
        "::/96",  # IPv4-compatible, loopback, unspecified (RFC 4291)
        "::ffff:0:0/96",  # IPv4-mapped (RFC 4291)
        "::ffff:0:0:0/96",  # IPv4-translated (RFC 2765)
        "64:ff9b::/96",  # NAT64 (RFC 6052)
        "64:ff9b:1::/48",  # local NAT64 (RFC 8215)
        "100::/64",  # discard (RFC 6666)
        "2001::/23",  # protocol assignments, with Teredo and ORCHID (RFC 2928)
        "2001:db8::/32",  # documentation (RFC 3849)
        "2002::/16",  # 6to4 (RFC 3056)
        "3fff::/20",  # documentation (RFC 9637)
        "5f00::/16",  # segment routing (RFC 9602)
        "fc00::/7",  # unique local (RFC 4193)
        "fe80::/10",  # link-local (RFC 4291)
        "fec0::/10",  # site-local (RFC 3879)
        "ff00::/8",  # multicast (RFC 4291)
    )
)


@dataclass(frozen=True)
class AllowedNetwork:
    """A network that may be reached though it is not public, on one port or on all."""

    network: Network
    port: int | None


def is_public(text: str) -> bool:
    """Say whether an address belongs to one host on the public Internet."""
    address = ip_address(text)
    if "%" in text or not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in network for network in _REFUSED if network.version == address.version)


def is_allowed(text: str, port: int, networks: Iterable[AllowedNetwork]) -> bool:
    """Say whether an address is in one of the networks that the operator opened."""
    if "%" in text:
        return False
    address = ip_address(text)
    return any(
        address.version == each.network.version and address in each.network and each.port in (None, port)
        for each in networks
    )


@lru_cache
def read_allowed_networks(texts: tuple[str, ...]) -> tuple[AllowedNetwork, ...]:
    """Read "127.0.0.1/32", "127.0.0.1/32:8200", "[::1/128]:8200". Raises ValueError for anything else."""
    return tuple(_read_one(text) for text in texts)


def _read_one(text: str) -> AllowedNetwork:
    network, port = text, ""
    if text.startswith("["):
        network, bracket, port = text[1:].partition("]")
        if not bracket or (port and not port.startswith(":")):
            raise ValueError(f"{text!r} is no network")
        port = port[1:]
    elif text.count(":") == 1:
        network, _, port = text.partition(":")
        if not port:
            raise ValueError(f"{text!r} ends without a port")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{port!r} is no port")
    return AllowedNetwork(ip_network(network), int(port) if port else None)
