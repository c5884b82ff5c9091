"""The clients, mostly SDKs: one per process, channel and version of its credentials.

The SDK is imported when the first client is made, because importing it takes half a second that commands
and tests which never call a provider should not pay.
"""

import logging
import os
import ssl
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from uuid import UUID

from channels.client_transport import Transport
from channels.errors import UnsupportedProvider
from channels.file_drop import FileDrop
from channels.payables import Payables
from channels.rows import Line

__all__ = ["STRIPE_VERSION", "client_for"]

# The dialect that the adapter and the webhooks are written for; changing it is a change of the code.
STRIPE_VERSION = "2026-10-28.endive"

# A client keeps a connection open for each thread that used it, so a process has no more of them than this.
_MOST = 64

_lock = threading.Lock()
# The one that was used longest ago stands first.
_clients: OrderedDict[tuple[UUID, int, str], Any] = OrderedDict()


def client_for(line: Line) -> Any:
    """Return the client of a channel: an SDK's, a bank's file drop, or a payables API's.

    Raises UnsupportedProvider, KeyError without a secret key.

    Clients of channels that were not used for the longest time are let go; their connections close when
    nobody calls over them any more.
    """
    key = (line.channel.id, line.credentials_version, line.base_url)
    with _lock:
        found = _clients.get(key)
        if found is None:
            make = _MAKERS.get(line.channel.provider)
            if make is None:
                raise UnsupportedProvider
            # Credentials that were replaced, and their connections, are of no more use.
            for old in [other for other in _clients if other[0] == line.channel.id]:
                del _clients[old]
            found = _clients[key] = make(line)
            if len(_clients) > _MOST:
                _clients.popitem(last=False)
        _clients.move_to_end(key)
        return found


def _stripe(line: Line) -> Any:
    import stripe

    # It tells of every request at level info; the evidence says the same, and is kept.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    pinned: str | None = line.credentials.get("ca_pem")
    tls = (
        ssl.create_default_context(cadata=pinned)
        if pinned
        else ssl.create_default_context(cafile=stripe.ca_bundle_path)
    )
    addresses: Any = (
        dict.fromkeys(("api", "files", "connect", "meter_events"), line.base_url) if line.base_url else None
    )
    transport: Any = _transport(line, tls)
    return stripe.StripeClient(
        line.credentials["secret_key"],
        base_addresses=addresses,
        http_client=transport,
        max_network_retries=0,
        stripe_version=STRIPE_VERSION,
    )


def _file_drop(line: Line) -> Any:
    if not line.base_url:
        raise UnsupportedProvider("This bank has no file drop under a URL.")
    tls = ssl.create_default_context(cadata=line.credentials.get("ca_pem"))
    return FileDrop(base_url=line.base_url, bearer=line.credentials["secret_key"], line=_transport(line, tls))


def _payables(line: Line) -> Any:
    if not line.base_url:
        raise UnsupportedProvider("The sandbox is reached under a URL.")
    tls = ssl.create_default_context(cadata=line.credentials.get("ca_pem"))
    return Payables(base_url=line.base_url, bearer=line.credentials["secret_key"], line=_transport(line, tls))


def _transport(line: Line, tls: ssl.SSLContext) -> Transport:
    tls.minimum_version = ssl.TLSVersion.TLSv1_2
    return Transport.for_line(tls=tls, allow_plain=bool(line.base_url))


_MAKERS: dict[str, Callable[[Line], Any]] = {
    "sandbox": _payables,
    "sepa": _file_drop,
    "stripe": _stripe,
}


def _start_afresh() -> None:
    global _lock
    # A child must not write into its parent's connections, nor wait for a lock of a thread it has not got.
    _lock = threading.Lock()
    _clients.clear()


os.register_at_fork(after_in_child=_start_afresh)
