"""What the launcher refuses, and the cure it names."""

import errno
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ops import cli, testing
from ops.lanes import Lane
from ops.layout import Layout
from ops.messages import Progress, Stop
from ops.postgres import Binaries, PostgresServer, find_binaries, forget_dead_postmaster
from ops.privilege import confinement_for
from ops.signals import Signals
from ops.venv import VirtualEnvironment, ensure

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(root=tmp_path, var=tmp_path / "var")
    layout.prepare()
    return layout


def test_an_old_python_is_told_what_to_install() -> None:
    script = (
        "import sys, ops.__main__ as entry; entry.OLDEST = (9, 9); entry.newer_python = lambda: None; "
        "sys.exit(entry.main())"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is too old" in done.stderr
    assert "PYTHON=" in done.stderr


def test_a_python_without_venv_is_told_the_package(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    (layout.root / "requirements.txt").write_text("")
    with pytest.raises(Stop) as refusal:
        ensure(
            layout=layout,
            requirements=["requirements.txt"],
            kind="run",
            given="",
            signals=Signals(),
            progress=Progress(),
        )
    assert "python3-venv" in refusal.value.cure
    assert "uv" in refusal.value.cure


def test_requirements_that_cannot_be_installed_show_what_the_installer_said(layout: Layout) -> None:
    (layout.root / "requirements.txt").write_text("not a requirement\n")
    with pytest.raises(Stop, match="could not be installed") as refusal:
        ensure(
            layout=layout,
            requirements=["requirements.txt"],
            kind="run",
            given="",
            signals=Signals(),
            progress=Progress(),
        )
    assert "not a requirement" in refusal.value.evidence
    assert not (layout.root / ".venv" / ".installed-run").exists()


@pytest.mark.parametrize(
    ("uid", "says", "cures"),
    [
        (0, "can't run as root", ("ordinary user", "unprivileged_userns_clone", "DATABASE_URL")),
        (4_000_000, "user 4000000 has none", ("/etc/passwd", "DATABASE_URL")),
    ],
)
def test_a_machine_without_user_namespaces_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uid: int, says: str, cures: tuple[str, ...]
) -> None:
    """As in a container that forbids them, whose tree no unprivileged user can reach."""
    unshare = tmp_path / "unshare"
    unshare.write_text("#!/bin/sh\necho unshare failed: Operation not permitted >&2\nexit 1\n")
    unshare.chmod(0o755)
    monkeypatch.setattr("shutil.which", lambda name: str(unshare))
    monkeypatch.setattr("ops.privilege.UNPRIVILEGED_USERS", ())
    monkeypatch.setattr("os.geteuid", lambda: uid)
    with pytest.raises(Stop, match=says) as refusal:
        confinement_for(program=Path("/bin/ls"), data_dir=tmp_path / "data")
    assert all(cure in refusal.value.cure for cure in cures), refusal.value.cure


def test_a_data_folder_of_another_postgresql_is_kept(layout: Layout) -> None:
    binaries = find_binaries(venv=VirtualEnvironment(Path(sys.prefix)))
    server = PostgresServer(layout=layout, binaries=binaries, port=1, launch_id="x", name="postgres")
    server.data_dir.mkdir()
    (server.data_dir / "PG_VERSION").write_text("9\n")
    with pytest.raises(Stop, match="is of PostgreSQL 9"):
        server.initialise(password="p", signals=Signals(), progress=Progress())
    assert (server.data_dir / "PG_VERSION").read_text() == "9\n"


def test_a_lock_file_with_a_strangers_number_is_removed(tmp_path: Path) -> None:
    """After a restart of the container, the number is often that of another process."""
    lock_file = tmp_path / "postmaster.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd="/") as stranger:
        lock_file.write_text(f"{stranger.pid}\n{tmp_path}\n")
        forget_dead_postmaster(tmp_path)
        assert not lock_file.exists()
        stranger.kill()


def test_a_lock_file_stays_while_a_process_stands_in_the_data_folder(tmp_path: Path) -> None:
    """PostgreSQL's processes all do: an orphan of theirs may still write."""
    lock_file = tmp_path / "postmaster.pid"
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, cwd=tmp_path) as orphan:
        lock_file.write_text(f"{orphan.pid}\n{tmp_path}\n")
        forget_dead_postmaster(tmp_path)
        assert lock_file.exists()
        orphan.kill()


def lanes_of(plan: testing.TestPlan) -> list[Lane]:
    session: Any = SimpleNamespace(progress=Progress())
    return testing._lanes(session, venv=VirtualEnvironment(Path(sys.prefix)), plan=plan)


def test_a_machine_without_the_oldest_postgresql_skips_its_tests_loudly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(testing, "system_binaries", lambda: [Binaries(folder=Path("/x"), major=17)])
    assert len(lanes_of(testing.TestPlan(oldest_leg=True))) == 1
    assert "SKIPPED: the database tests on PostgreSQL 15" in capsys.readouterr().out


def test_the_oldest_postgresql_runs_what_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    oldest = Binaries(folder=Path("/x"), major=15)
    monkeypatch.setattr(testing, "system_binaries", lambda: [oldest])
    monkeypatch.setattr(testing, "_servers", lambda *_, **given: given)
    lane = lanes_of(testing.TestPlan(oldest_leg=True))[-1]
    assert lane.args == ("-m", "database")
    assert lane.prepare()["binaries"] == oldest


def test_side_by_side_every_test_runs_once() -> None:
    """What the first lane leaves out is what the others run, each of them something else."""
    product, *beside = lanes_of(testing.TestPlan(pytest_args=("-m", "x"), lanes=True))
    left_out = [each.removeprefix("--ignore=") for each in product.args if each.startswith("--ignore=")]
    assert left_out == [each for lane in beside for each in lane.args if each.startswith("tests/")]
    assert len(beside) == 2
    assert len(set(left_out)) == len(left_out)
    assert all(lane.args[:2] == ("-m", "x") for lane in (product, *beside))
    assert all((Path(__file__).parents[2] / folder).is_dir() for folder in left_out)


@pytest.mark.parametrize(("number", "cure"), [(errno.ENOSPC, "disk space"), (errno.EACCES, "owns the tree")])
def test_a_full_disk_and_a_foreign_tree_are_named(
    number: int, cure: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: object) -> int:
        raise OSError(number, "refused", "/x/var/launcher.lock")

    monkeypatch.delenv("MAKELEVEL", raising=False)
    monkeypatch.setattr(cli, "_dispatch", fail)
    assert cli.main(["run"]) == 1
    said = capsys.readouterr().err
    assert "/x/var/launcher.lock" in said
    assert cure in said
