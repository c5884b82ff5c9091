"""What every command of the launcher needs: signals, the lock, the guardian, the supervisor, the servers."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ops.credentials import Credentials, load_or_create, write_private
from ops.environment import DatabaseUrls, user_environment
from ops.guardian import Guardian
from ops.layout import Layout
from ops.lock import LauncherLock
from ops.messages import Progress, Stop, tail_of
from ops.ports import HOST, private_port
from ops.postgres import Binaries, PostgresServer, find_binaries, forget_dead_postmaster
from ops.process import run_logged
from ops.signals import Signals
from ops.supervisor import Supervisor
from ops.valkey import find_server, valkey_spec
from ops.venv import GIVEN_VENV, VirtualEnvironment, ensure

EMBEDDED = "ops/requirements-embedded.txt"


class Session:
    """One run of the launcher on one data folder."""

    def __init__(self, *, layout: Layout, signals: Signals, progress: Progress, guardian: Guardian) -> None:
        self.layout = layout
        self.signals = signals
        self.progress = progress
        self.supervisor = Supervisor(
            log_dir=layout.log_dir, signals=signals, progress=progress, guardian=guardian
        )
        self.guardian = guardian
        self.user_env = user_environment(layout)
        self.credentials: Credentials = load_or_create(layout.var / "secrets.json")
        self.launch_id = ""
        self.ports_file = layout.var / "ports.json"

    def virtual_environment(self, *, development: bool) -> VirtualEnvironment:
        """The virtual environment; the embedded servers are left out when none is to be started."""
        names = ["requirements-dev.txt"] if development else ["requirements.txt"]
        own_servers = self.user_env.get("DATABASE_URL") and self.user_env.get("REDIS_URL")
        if not development and not own_servers:
            names.append(EMBEDDED)
        return ensure(
            layout=self.layout,
            requirements=names,
            kind="development" if development else "run",
            given=self.user_env.get(GIVEN_VENV, ""),
            signals=self.signals,
            progress=self.progress,
        )

    def start_database(
        self,
        *,
        venv: VirtualEnvironment,
        binaries: Binaries | None = None,
        name: str = "postgres",
        careless: bool = False,
    ) -> DatabaseUrls:
        """The user's database, or a server of our own, started and ready.

        `binaries` asks for a server of our own with just these.
        """
        given = None if binaries else DatabaseUrls.given(self.user_env)
        if given:
            self.progress.say("using the PostgreSQL of DATABASE_URL")
            return given
        server = PostgresServer(
            layout=self.layout,
            binaries=binaries or find_binaries(venv=venv),
            port=self._port(name),
            launch_id=self.launch_id,
            name=name,
        )
        server.initialise(
            password=self.credentials.superuser_password, signals=self.signals, progress=self.progress
        )
        forget_dead_postmaster(server.data_dir)
        with self.progress.step(f"starting PostgreSQL {server.binaries.major} on {HOST}:{server.port}"):
            self.supervisor.start(server.spec(careless=careless))
        return DatabaseUrls.local(port=server.port, credentials=self.credentials)

    def start_broker(self, *, venv: VirtualEnvironment, name: str = "valkey") -> str:
        """The user's Redis, or a Valkey of our own, started and ready; its URL."""
        given = self.user_env.get("REDIS_URL")
        if given:
            self.progress.say("using the Redis of REDIS_URL")
            return given
        port = self._port(name)
        spec = valkey_spec(
            layout=self.layout,
            server=find_server(venv=venv),
            port=port,
            password=self.credentials.broker_password,
            launch_id=self.launch_id,
            name=name,
        )
        with self.progress.step(f"starting Valkey on {HOST}:{port}"):
            self.supervisor.start(spec)
        return f"redis://:{self.credentials.broker_password}@{HOST}:{port}/0"

    def manage(self, *, venv: VirtualEnvironment, env: Mapping[str, str], command: Sequence[str]) -> None:
        """Run a management command. Raises Stop with its last lines when it fails."""
        log = self.layout.log_dir / "setup.log"
        offset = log.stat().st_size if log.exists() else 0
        code = run_logged(
            [venv.python, "manage.py", *command],
            env=env,
            cwd=self.layout.root,
            log=log,
            signals=self.signals,
            progress=self.progress,
        )
        if code != 0:
            raise Stop(
                f"`manage.py {' '.join(command)}` failed with exit code {code}.",
                evidence=tail_of(log, since=offset, lines=60 if code == 3 else 20),
                cure=PROVISION_CURE if code == 3 else f"the whole output is in {log}.",
            )

    def provision(
        self,
        *,
        venv: VirtualEnvironment,
        env: Mapping[str, str],
        name: str = "postgres",
        options: Sequence[str] = (),
    ) -> None:
        """Create the roles and the database, unless that was done and nothing of it changed since."""
        if not env.get("PROVISION_URL"):
            return
        done_file = self.layout.var / f"{name}.provisioned"
        # Ports may change from run to run; what was provisioned does not depend on them.
        state = hashlib.sha256(repr(self.credentials).encode())
        for source in sorted(self.layout.root.glob("core/**/provision*.py")):
            state.update(source.read_bytes())
        digest = state.hexdigest()
        own_server = not self.user_env.get("DATABASE_URL")
        if own_server and done_file.exists() and done_file.read_text() == digest:
            return
        with self.progress.step("creating the roles and the database"):
            self.manage(venv=venv, env=env, command=["provision_roles", *options])
        done_file.write_text(digest)

    def forget_data(self, name: str) -> None:
        """Remove a test server's data folder."""
        shutil.rmtree(self.layout.var / name, ignore_errors=True)
        (self.layout.var / f"{name}.provisioned").unlink(missing_ok=True)

    def _port(self, name: str) -> int:
        try:
            known = json.loads(self.ports_file.read_text())
        except (FileNotFoundError, ValueError):
            known = {}
        port = private_port(preferred=known.get(name, 0))
        if known.get(name) != port:
            write_private(self.ports_file, json.dumps(known | {name: port}) + "\n")
        return port


PROVISION_CURE = (
    "the login of PROVISION_URL may not create roles: give the SQL above to somebody who may, "
    "then unset PROVISION_URL and start again."
)


@contextmanager
def opened(*, layout: Layout, what: str) -> Iterator[Session]:
    """A session that holds the lock, and leaves no process behind whichever way it ends."""
    progress, signals = Progress(), Signals()
    signals.install()
    layout.prepare()
    lock = LauncherLock(layout.lock_file)
    try:
        lock.take(signals=signals, progress=progress, what=what)
    except PermissionError as error:
        raise layout.unwritable(error) from error
    launch_id = secrets.token_hex(8)
    guardian = Guardian(launch_id=launch_id, lock_handle=lock.handle, cwd=layout.root)
    try:
        session = Session(layout=layout, signals=signals, progress=progress, guardian=guardian)
        session.launch_id = launch_id
        try:
            yield session
        finally:
            session.supervisor.stop_all()
    finally:
        guardian.release()
        lock.release()


def command_exists(*, root: Path, name: str) -> bool:
    """Whether an app of the tree has this management command."""
    return any(root.glob(f"*/management/commands/{name}.py"))


def own_path(venv: VirtualEnvironment) -> str:
    """PATH with the virtual environment's commands first."""
    return os.pathsep.join([str(venv.path / "bin"), os.environ.get("PATH", "/usr/bin:/bin")])
