"""TCP ports on 127.0.0.1."""

from __future__ import annotations

import random
import socket
import time

from ops.messages import Interrupted, Progress, Stop
from ops.procfs import listener_on
from ops.signals import Signals

HOST = "127.0.0.1"
# Below the range the kernel hands out to outgoing connections, so that none of those takes our port.
PRIVATE_PORTS = range(20_000, 32_000)
RELEASE_PATIENCE = 5.0


def is_free(port: int) -> bool:
    """Whether a server can listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def private_port(*, preferred: int = 0) -> int:
    """A free port for a server of our own, the one of last time when that is still free."""
    if preferred and is_free(preferred):
        return preferred
    for port in random.sample(PRIVATE_PORTS, 200):  # not a secret: any free port will do
        if is_free(port):
            return port
    raise Stop("no free TCP port was found between 20000 and 32000.", cure="close some servers.")


def require_free(*, port: int, variable: str, signals: Signals, progress: Progress) -> None:
    """Wait a moment for the port, then refuse with the name of who holds it."""
    deadline = time.monotonic() + RELEASE_PATIENCE
    said = False
    while not is_free(port):
        if signals.stopping:
            raise Interrupted
        if time.monotonic() > deadline:
            holder = listener_on(port) or "another process"
            raise Stop(
                f"port {port} is taken by {holder}.",
                cure=f"stop it, or choose another port: set {variable}=<port>, "
                f"as in `make run {variable}={port + 10}`.",
            )
        if not said:
            progress.say(f"port {port} is taken; waiting {RELEASE_PATIENCE:.0f} s for it")
            said = True
        signals.wait(0.2)


def port_from(text: str, *, variable: str) -> int:
    """A port number from the environment. Raises Stop when it is none."""
    if not text.isdigit() or not 1 <= int(text) <= 65_535:
        raise Stop(f"{variable}={text!r} is not a port number.", cure=f"set {variable} to 1-65535.")
    return int(text)
