"""Where a request comes from: the address that cannot be made up by whoever sends it."""

from ipaddress import ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

__all__ = ["client_address", "network_of"]

# A household or a host has a whole network of these addresses to itself.
_IPV6_PREFIX = 64


def client_address(request: HttpRequest) -> str:
    """Return the caller's address: the peer, or what the outermost of our own proxies saw as its peer.

    Every proxy appends to X-Forwarded-For, so with settings.TRUSTED_PROXIES of them that one is so many from
    the end; what stands before it was sent by the caller. Never an address that nobody of ours vouches for.
    """
    peer = str(request.META.get("REMOTE_ADDR") or "")
    number = settings.TRUSTED_PROXIES
    if number < 1:
        return peer
    told = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    if len(told) < number:
        return peer
    try:
        return str(ip_address(told[-number]))
    except ValueError:
        return peer


def network_of(address: str) -> str:
    """Return what counts as one source: an IPv4 address, or the /64 of an IPv6 one; other text cut short."""
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return address.strip()[:45]
    mapped = getattr(parsed, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    if parsed.version == 6:
        return str(ip_network((int(parsed), _IPV6_PREFIX), strict=False))
    return str(parsed)
