"""The real launcher on a copy of the project tree, with data and ports of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from ops.ports import private_port
from ops.procfs import LAUNCH_MARK, PROC, Process, descendants, marked
from tests.ops.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns("var", ".venv", ".git", "__pycache__", ".*_cache", ".hypothesis", ".env")
# What the outer test run has set must not reach the launcher under test.
FOREIGN = (
    *("DATABASE_URL", "DATABASE_OWNER_URL", "READONLY_URL", "PROVISION_URL", "REDIS_URL", "DATABASE_LOGIN"),
    *("SECRET_KEY", "FIELD_KEYS", "TEST_HOOKS", "HOOKS_DIR", "PUBLIC_URL", "MAKELEVEL", "MAKEFLAGS"),
    *("DJANGO_SETTINGS_MODULE", "PYTEST_CURRENT_TEST", LAUNCH_MARK),
)


class Tree:
    """A copy of the tree in which launchers are started one after the other, by this user or, as root,
    by another."""

    def __init__(self, folder: Path, *, uid: int | None = None) -> None:
        self.root = folder / "quittance"
        shutil.copytree(ROOT, self.root, ignore=LEFT_OUT)
        self.port, self.sandbox_port = private_port(), private_port()
        self.uid = uid
        if uid is not None:
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, uid, uid, follow_symlinks=False)
        self._count = 0

    @property
    def var(self) -> Path:
        """The data folder."""
        return self.root / "var"

    def start(self, **env: str) -> "Launch":
        """Start `python3 -m ops run`, using the virtual environment of this test run."""
        self._count += 1
        return Launch(self, output=self.root / f"launch-{self._count}.out", env=self.environment() | env)

    def environment(self) -> dict[str, str]:
        """This process's environment without what would lead the launcher to other servers."""
        clean = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        ports = {"PORT": str(self.port), "SANDBOX_PORT": str(self.sandbox_port)}
        if self.uid is not None:
            ports["HOME"] = str(self.root)
        return clean | ports | {"QUITTANCE_VENV": sys.prefix}

    def dev_file(self) -> dict[str, Any]:
        """What var/dev.json says."""
        return json.loads((self.var / "dev.json").read_text())


class Launch:
    """One launcher process."""

    def __init__(self, tree: Tree, *, output: Path, env: dict[str, str]) -> None:
        self.tree = tree
        self.output = output
        with output.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ops", "run"],
                cwd=tree.root,
                env=env,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=tree.uid,
                group=tree.uid,
                extra_groups=None if tree.uid is None else [],
            )

    def said(self) -> str:
        """Everything printed so far."""
        return self.output.read_text()

    def await_up(self) -> None:
        """Wait until everything is up; fails with the output when the launcher ends instead."""

        def up() -> bool:
            assert self.process.poll() is None, self.said()
            return "everything is up" in self.said()

        wait_until(up, within=120, what="everything is up")

    def family(self) -> list[Process]:
        """All processes below the launcher now."""
        return descendants(self.process.pid)

    def launch_id(self) -> str:
        """The mark that this launcher gave to its children."""
        for each in self.family():
            try:
                environ = (PROC / str(each.pid) / "environ").read_bytes()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended since
            for item in environ.split(b"\0"):
                if item.startswith(LAUNCH_MARK.encode() + b"="):
                    return item.decode().partition("=")[2]
        raise AssertionError("no child carries a mark")

    def signal(self, number: int) -> None:
        """Send a signal to the launcher alone."""
        self.process.send_signal(number)

    def await_end(self, *, within: float = 60) -> int:
        """Wait for the launcher's exit code."""
        return self.process.wait(timeout=within)

    def clean_up(self) -> None:
        """Leave nothing behind when a test failed half-way."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Leavers:
    """The processes of a launch, noted before it ends, to be found again afterwards."""

    def __init__(self, launch: Launch) -> None:
        self.family = launch.family()
        self.launch_id = launch.launch_id()
        # Web with two workers, worker with two children, beat, Valkey, PostgreSQL with its own, guardian:
        # fewer would mean that this check looks at nothing.
        assert len(self.family) >= 10, self.family
        assert len(marked(self.launch_id)) >= 6

    def left(self) -> list[Process]:
        """Those still there, by number and by mark."""
        return [each for each in self.family if each.alive()] + marked(self.launch_id)
