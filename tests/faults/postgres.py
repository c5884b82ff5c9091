"""A PostgreSQL server of a test's own, stopped as a power cut stops it, and a line to it that breaks."""

import os
import secrets
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from django.db import connection

from config.env import database_from_url
from ops.layout import Layout
from ops.messages import Progress
from ops.postgres import PostgresServer, find_binaries
from ops.signals import Signals
from ops.venv import VirtualEnvironment
from tests.faults.cuts import reset
from tests.stack import ROOT, free_port
from tests.waiting import eventually

__all__ = ["CommitCutter", "Server", "logged_in_at"]


class Server:
    """A server with the project's roles and schema, on a data folder that survives its crashes."""

    def __init__(self, folder: Path) -> None:
        layout = Layout(root=ROOT, var=folder)
        layout.prepare()
        self.folder, self.port = folder, free_port()
        self._password = secrets.token_hex(16)
        self._server = PostgresServer(
            layout=layout,
            binaries=find_binaries(venv=VirtualEnvironment(Path(sys.prefix))),
            port=self.port,
            launch_id="faults",
            name="postgres",
        )
        self._server.initialise(password=self._password, signals=Signals(), progress=Progress())
        self._process: subprocess.Popen[bytes] | None = None

    def url(self, role: str, database: str = "quittance") -> str:
        """How a role logs in."""
        return f"postgresql://{role}:{self._password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it has recovered."""
        spec = self._server.spec()
        identity = spec.identity
        with (self.folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(part) for part in spec.argv],
                env=dict(spec.env),
                cwd=spec.cwd,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=identity.uid if identity else None,
                group=identity.gid if identity else None,
                extra_groups=[] if identity else None,
            )
        pid = self._process.pid
        eventually(lambda: spec.ready is not None and spec.ready(pid), within=60, what="PostgreSQL is up")

    def stop_immediately(self) -> None:
        """What `pg_ctl stop -m immediate` sends: every session is dropped, nothing is written out."""
        assert self._process is not None
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(timeout=30)

    def install(self) -> None:
        """Create the roles and the schema with the commands that an operator uses."""
        env = os.environ | {
            "DATABASE_URL": self.url("quittance_app"),
            "DATABASE_OWNER_URL": self.url("quittance_owner"),
            "READONLY_URL": self.url("quittance_readonly"),
            "PROVISION_URL": self.url("postgres", "postgres"),
        }
        for command in (["provision_roles"], ["migrate", "--no-input", "-v", "0"]):
            subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True)


@contextmanager
def logged_in_at(url: str) -> Iterator[None]:
    """Let this process's default connection be to another database."""
    place = database_from_url(url)
    wanted = {name: place[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    before = {name: connection.settings_dict[name] for name in wanted}
    try:
        _log_in(wanted)
        yield
    finally:
        _log_in(before)


def _log_in(place: dict[str, str]) -> None:
    connection.close()
    connection.close_pool()
    connection.settings_dict.update(place)


class CommitCutter:
    """A TCP proxy before PostgreSQL that can swallow the server's word that a COMMIT is done.

    Only the commit of a session that has sent `statement` is struck.
    """

    _TAG = b"C\x00\x00\x00\x0bCOMMIT\x00"

    def __init__(self, host: str, port: int, *, statement: str) -> None:
        self._target, self._statement = (host, port), statement.encode()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.armed = threading.Event()
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        # One thread for both directions: a socket in which another thread still reads would not be reset.
        with (
            suppress(OSError),
            client,
            socket.create_connection(self._target) as server,
            selectors.DefaultSelector() as waiting,
        ):
            other = {client: server, server: client}
            for line in other:
                waiting.register(line, selectors.EVENT_READ)
            is_ours = False
            while True:
                for key, _ in waiting.select():
                    source: Any = key.fileobj
                    data = source.recv(65536)
                    if not data:
                        return
                    if source is client:
                        is_ours = is_ours or self._statement in data
                    elif is_ours and self._TAG in data:
                        is_ours = False
                        if self.armed.is_set():
                            self.armed.clear()
                            self.cuts += 1
                            reset(client)
                            return
                    other[source].sendall(data)

    def close(self) -> None:
        """Accept no more."""
        self._listener.close()
