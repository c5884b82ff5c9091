"""What the launcher refuses, and the cure it names."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from ops import cli
from ops.layout import Layout
from ops.messages import Progress, Stop
from ops.postgres import PostgresServer, find_binaries, forget_dead_postmaster
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
    monkeypatch.delenv("QUITTANCE_VENV", raising=False)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr("shutil.which", lambda name: None)
    (layout.root / "requirements.txt").write_text("")
    with pytest.raises(Stop) as refusal:
        ensure(
            layout=layout,
            requirements=["requirements.txt"],
            kind="run",
            signals=Signals(),
            progress=Progress(),
        )
    assert "python3-venv" in refusal.value.cure
    assert "uv" in refusal.value.cure


def test_requirements_that_cannot_be_installed_show_what_the_installer_said(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QUITTANCE_VENV", raising=False)
    (layout.root / "requirements.txt").write_text("not a requirement\n")
    with pytest.raises(Stop, match="could not be installed") as refusal:
        ensure(
            layout=layout,
            requirements=["requirements.txt"],
            kind="run",
            signals=Signals(),
            progress=Progress(),
        )
    assert "not a requirement" in refusal.value.evidence
    assert not (layout.root / ".venv" / ".installed-run").exists()


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
