"""Files that a provider keeps for us: fetched over the channel's line, straight into a file of ours.

Not through the SDKs: they hold the whole answer in memory, and take nothing but JSON. What a provider says
a file's address is, is not believed: our key is sent to the provider's own hosts and to nobody else.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO
from urllib.parse import urlsplit

from channels.client_transport import Body, Transport
from channels.errors import NotSent, UnsupportedProvider
from channels.exchange import call
from channels.rows import Line
from channels.types import ChannelData, Exchange
from core.transactions import forbids_transaction

__all__ = ["Downloaded", "download"]

# Where a provider serves files itself; a channel with a base URL is served by that alone.
_HOSTS = {"stripe": ("https://files.stripe.com", "https://api.stripe.com")}


@dataclass(frozen=True)
class Downloaded:
    """What came: the status, and for 200 the SHA-256 and the size of what was written."""

    status: int
    sha256: str
    size: int


@forbids_transaction
def download(
    *, channel: ChannelData, kind: str, url: str, to: BinaryIO, largest: int, seconds: float
) -> Exchange:
    """Fetch a file of at most `largest` bytes within so many seconds; its result is a Downloaded.

    `url` is the provider's, or a path under the channel's base URL. Nothing is raised for what went wrong on
    the way, as in `call`; then what was written so far is of no use.
    """
    return call(
        channel=channel,
        kind=kind,
        send=lambda shelf: shelf.read(url, to, largest),
        has_effect=False,
        over=_Shelf,
        seconds=seconds,
    )


class _Shelf:
    """The files of one channel's provider."""

    def __init__(self, line: Line) -> None:
        self._line = line
        own = _HOSTS.get(line.channel.provider, ())
        self._places: Sequence[str] = (line.base_url,) if line.base_url else own
        if not self._places:
            raise UnsupportedProvider("Files of this provider cannot be fetched.")

    @forbids_transaction
    def read(self, url: str, to: BinaryIO, largest: int) -> Downloaded:
        """Write a file's bytes to `to`. Raises NotSent, NoAnswer."""
        address = self._judged(url)
        transport = Transport.for_line(tls=self._tls(), allow_plain=bool(self._line.base_url))
        body = Body(to=to, largest=largest)
        headers = {
            "Authorization": f"Bearer {self._line.credentials['secret_key']}",
            "Accept-Encoding": "identity",
        }
        try:
            status = transport.download(address, headers, body)
        finally:
            transport.close()
        return Downloaded(status=status, sha256=body.sha256, size=body.size)

    def _judged(self, url: str) -> str:
        address = f"{self._places[0]}{url}" if url.startswith("/") else url
        if _origin(address) not in {_origin(place) for place in self._places}:
            raise NotSent("the file is not at the provider's own host")
        return address

    def _tls(self) -> ssl.SSLContext:
        tls = ssl.create_default_context(cadata=self._line.credentials.get("ca_pem"))
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        return tls


def _origin(address: str) -> tuple[str, str, int | None]:
    parts = urlsplit(address)
    if parts.username is not None or parts.password is not None:
        raise NotSent("the address of the file carries a name")
    default = {"https": 443, "http": 80}.get(parts.scheme)
    try:
        return parts.scheme, (parts.hostname or "").lower(), parts.port or default
    except ValueError as error:
        raise NotSent("the address of the file has no port that could be") from error
