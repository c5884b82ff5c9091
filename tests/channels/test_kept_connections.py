"""The connections to providers that are kept open: when they close."""

import gc
import socket
import warnings
from http.client import HTTPConnection
from typing import Any

import pytest

from channels.client_transport import _Kept


def let_go_in_a_circle(port: int) -> None:
    """What becomes of a client of the SDK, whose objects hold each other."""
    line = HTTPConnection("127.0.0.1", port, timeout=5)
    line.connect()
    circle: list[Any] = [_Kept(line, ("http", "127.0.0.1", port))]
    circle.append(circle)


def test_a_connection_closes_with_the_client_that_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    complaints: list[Any] = []
    monkeypatch.setattr("sys.unraisablehook", complaints.append)
    with socket.create_server(("127.0.0.1", 0)) as server, warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        let_go_in_a_circle(server.getsockname()[1])
        with server.accept()[0] as provider:
            gc.collect()
            provider.settimeout(5)
            assert provider.recv(1) == b""
    assert not complaints, "the collector closed the socket, not we"
