"""Processes that end with the launcher: stand-ins for the real ones, real signals and kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.messages import Progress, Stop
from ops.procfs import LAUNCH_MARK, Process, descendants, marked, process
from ops.signals import Signals
from ops.supervisor import ChildSpec, Supervisor
from tests.ops.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]

POLITE = """
import signal, sys
def leave(*_):
    print("left", sys.argv[1], file=open(sys.argv[2], "a"))
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
print("up", sys.argv[1], flush=True)
while True: signal.pause()
"""
# Starts a child of its own; both pay no heed to a request to stop.
STUBBORN = """
import signal, subprocess, sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c",
    "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('child', flush=True); signal.pause()"])
print("up", child.pid, flush=True)
while True: signal.pause()
"""
# A launcher in small: one child, with the guardian or without it.
LAUNCHER = """
import os, sys
from pathlib import Path
from ops.guardian import Guardian
from ops.messages import Progress
from ops.signals import Signals
from ops.supervisor import ChildSpec, Supervisor

folder, script, guarded = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "guarded"
lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
guardian = Guardian(launch_id=os.environ["LAUNCH"], lock_handle=lock, cwd=Path.cwd()) if guarded else None
supervisor = Supervisor(log_dir=folder, signals=Signals(), progress=Progress(), guardian=guardian)
env = {"PATH": os.environ["PATH"], "QUITTANCE_LAUNCH_ID": os.environ["LAUNCH"]}
supervisor.launch(ChildSpec(name="child", argv=[sys.executable, "-c", script, "x", str(folder / "left")],
    env=env, cwd=folder, stop_seconds=1.0))
print("launched", flush=True)
supervisor.watch()
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    signals = Signals()
    supervisor = Supervisor(log_dir=tmp_path, signals=signals, progress=Progress(), first_pause=0.01)
    yield supervisor
    supervisor.stop_all()
    signals.close()


def spec(name: str, script: str, *args: object, folder: Path, **options: object) -> ChildSpec:
    argv = [sys.executable, "-c", script, *map(str, args)]
    return ChildSpec(name=name, argv=argv, env=dict(os.environ), cwd=folder, **options)  # type: ignore[arg-type]


def says(log: Path, word: str) -> bool:
    return log.exists() and word in log.read_text()


def test_children_stop_in_reverse_order_with_code_zero(supervisor: Supervisor, tmp_path: Path) -> None:
    left = tmp_path / "left"
    for name in ("database", "worker", "web"):
        log = tmp_path / f"{name}.log"
        supervisor.start(
            spec(name, POLITE, name, left, folder=tmp_path, ready=lambda _, log=log: says(log, "up"))
        )
    assert supervisor.stop_all() == {"web": 0, "worker": 0, "database": 0}
    assert left.read_text().split("\n") == ["left web", "left worker", "left database", ""]


def test_a_stubborn_child_and_its_own_child_are_killed_after_the_grace(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    log = tmp_path / "stubborn.log"
    child = supervisor.start(
        spec("stubborn", STUBBORN, folder=tmp_path, stop_seconds=0.2, ready=lambda _: says(log, "child"))
    )
    family = [process(child.pid), *descendants(child.pid)]
    assert len(family) == 2
    assert supervisor.stop_all() == {"stubborn": -signal.SIGKILL}
    wait_until(lambda: not any(each.alive() for each in family), within=5, what="the family is gone")


def test_a_child_that_dies_is_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    child = supervisor.start(
        spec("web", POLITE, "web", tmp_path / "left", folder=tmp_path, ready=lambda _: says(log, "up"))
    )
    first = process(child.pid)
    os.kill(first.pid, signal.SIGKILL)

    def another() -> bool:
        supervisor.tend()
        return child.running() and process(child.pid) != first

    wait_until(another, within=5, what="a new process")


def test_a_child_that_keeps_dying_stops_the_launcher_with_its_last_words(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    child = supervisor.launch(spec("worker", "print('no broker'); raise SystemExit(7)", folder=tmp_path))

    def tend() -> bool:
        supervisor.tend()
        return False

    with pytest.raises(Stop) as stop:
        wait_until(tend, within=10, what="the supervisor gives up")
    assert "worker died 5 times in a row (last exit code 7)" in str(stop.value)
    assert "no broker" in stop.value.evidence
    assert child.log.read_text().count("no broker") == 5


def test_a_child_that_ends_before_it_is_ready_shows_its_log(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(Stop, match="ended before it was ready") as stop:
        supervisor.start(
            spec("web", "raise SystemExit('bad setting')", folder=tmp_path, ready=lambda _: False)
        )
    assert "bad setting" in stop.value.evidence


def test_a_server_that_finds_a_stale_lock_is_tried_again(supervisor: Supervisor, tmp_path: Path) -> None:
    """The first start fails as PostgreSQL's does while its dead predecessor waits to be reaped."""
    script = (
        "import os, signal\n"
        "if not os.path.exists('tried'): open('tried', 'w').close(); raise SystemExit(1)\n"
        "print('up', flush=True); signal.pause()\n"
    )
    log = tmp_path / "postgres.log"
    child = supervisor.start(
        spec("postgres", script, folder=tmp_path, start_patience=10.0, ready=lambda _: says(log, "up"))
    )
    assert child.running()


class SmallLauncher:
    """LAUNCHER as a process of its own, so that it can be killed."""

    def __init__(self, *, folder: Path, script: str, guarded: bool, launch_id: str) -> None:
        self.launch_id = launch_id
        self.process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, str(folder), script, "guarded" if guarded else "alone"],
            cwd=ROOT,
            env=os.environ | {"LAUNCH": launch_id},
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"launched\n"

    def kill(self) -> list[Process]:
        """kill -9; returns what was running under it."""
        family = descendants(self.process.pid)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return family


def alive(family: list[Process]) -> list[Process]:
    return [each for each in family if each.alive()]


def test_a_killed_launcher_takes_a_polite_child_with_it(tmp_path: Path) -> None:
    launcher = SmallLauncher(folder=tmp_path, script=POLITE, guarded=False, launch_id="polite")
    wait_until(lambda: says(tmp_path / "child.log", "up"), within=10, what="the child is up")
    family = launcher.kill()
    assert len(family) == 1
    wait_until(lambda: not alive(family), within=5, what="the child has gone")
    assert (tmp_path / "left").read_text() == "left x\n"


def test_the_guardian_kills_what_ignores_the_launchers_death(tmp_path: Path) -> None:
    """The control without a guardian shows that both processes would stay."""
    control = tmp_path / "control"
    control.mkdir()
    alone = SmallLauncher(folder=control, script=STUBBORN, guarded=False, launch_id="alone")
    guarded = SmallLauncher(folder=tmp_path, script=STUBBORN, guarded=True, launch_id="guarded")
    for folder in (control, tmp_path):
        wait_until(lambda f=folder: says(f / "child.log", "child"), within=10, what="the child is up")
    stays, goes = alone.kill(), guarded.kill()
    assert len(goes) == 3  # the child, its own child, the guardian
    wait_until(lambda: not alive(goes), within=10, what="all have gone")
    assert len(alive(stays)) == 2
    assert len(marked("alone")) == 2, f"found by {LAUNCH_MARK}"
    assert marked("guarded") == []
    for each in stays:
        os.kill(each.pid, signal.SIGKILL)
