"""`make check`: the checks that need no database, at the same time where that is cheap."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ops.messages import Interrupted
from ops.process import end, spawn
from ops.session import Session
from ops.venv import VirtualEnvironment


@dataclass
class Check:
    """One running check."""

    name: str
    child: subprocess.Popen[bytes]
    output: IO[bytes]
    begun: float


def check_commands(venv: VirtualEnvironment) -> dict[str, list[str | Path]]:
    """What is checked, by name."""
    return {
        "ruff": [venv.tool("ruff"), "check", "."],
        "import-linter": [venv.tool("lint-imports")],
        "migrations": [venv.python, "manage.py", "makemigrations", "--check", "--dry-run"],
        "mypy": [venv.tool("mypy"), "."],
    }


def run_checks(session: Session, *, venv: VirtualEnvironment, env: Mapping[str, str]) -> bool:
    """Run all checks side by side; the output of those that fail is printed. True when all pass."""
    running = [
        _start(name, argv, env=env, root=session.layout.root) for name, argv in check_commands(venv).items()
    ]
    passed = True
    while running:
        if session.signals.stopping:
            for check in running:
                end(check.child, grace=2.0, signals=session.signals)
            raise Interrupted
        for check in [each for each in running if each.child.poll() is not None]:
            running.remove(check)
            passed = _report(session, check) and passed
        session.signals.wait(0.5)
    return passed


def _start(name: str, argv: list[str | Path], *, env: Mapping[str, str], root: Path) -> Check:
    output = tempfile.TemporaryFile()  # noqa: SIM115 - read and closed when the check has ended
    child = spawn(argv, env=env, cwd=root, output=output.fileno())
    return Check(name=name, child=child, output=output, begun=time.monotonic())


def _report(session: Session, check: Check) -> bool:
    passed = check.child.returncode == 0
    took = time.monotonic() - check.begun
    session.progress.say(f"check {check.name}: {'passed' if passed else 'FAILED'} ({took:.1f} s)")
    with check.output as output:
        output.seek(0)
        text = output.read().decode("utf-8", "replace")
    if not passed:
        print(text, flush=True)
    return passed
