"""The launcher for real: every way to end it leaves nothing behind, and the next start works."""

import base64
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from ops.procfs import Process, command_line, descendants, parent_of, process
from tests.ops.launched import Launch, Leavers, Tree
from tests.ops.waiting import wait_until

pytestmark = [pytest.mark.launcher, pytest.mark.processes]

Start = Callable[..., Launch]
NOBODY = 65_534


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    return Tree(tmp_path_factory.mktemp("launcher"))


@pytest.fixture
def start(tree: Tree) -> Iterator[Start]:
    launches: list[Launch] = []

    def begin(**env: str) -> Launch:
        launches.append(tree.start(**env))
        return launches[-1]

    yield begin
    for launch in launches:
        launch.clean_up()


@pytest.fixture
def folder_for_all() -> Iterator[Path]:
    """A temporary folder that every user reaches; pytest's own are for the user who runs it alone."""
    with tempfile.TemporaryDirectory(prefix="quittance-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def runs_for(uid: int) -> bool:
    """Whether another user can run the Python of this test run with its packages."""
    try:
        command = [sys.executable, "-c", "import django"]
        done = subprocess.run(command, cwd="/", user=uid, group=uid, extra_groups=[], check=False)
    except PermissionError:
        return False
    return done.returncode == 0


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launch]:
    """A launcher of its own for the tests that only look; they may kill its children."""
    launch = Tree(tmp_path_factory.mktemp("running")).start()
    try:
        launch.await_up()
        yield launch
    finally:
        launch.clean_up()


def test_ctrl_c_ends_everything_with_code_zero(tree: Tree, start: Start) -> None:
    launch = start()
    launch.await_up()
    assert status(tree.port, "/readyz") == 200
    leavers = Leavers(launch)
    launch.signal(signal.SIGINT)
    assert launch.await_end() == 0
    assert leavers.left() == []


def test_sigterm_ends_everything_and_the_next_start_finds_the_data(tree: Tree, start: Start) -> None:
    """The second launcher is killed, and nobody starts a third: its processes leave by themselves."""
    launch = start()
    launch.await_up()
    leavers = Leavers(launch)
    launch.signal(signal.SIGTERM)
    assert launch.await_end() == 0
    assert leavers.left() == []
    secrets = (tree.var / "secrets.json").read_bytes()
    again = start()
    again.await_up()
    assert "making the PostgreSQL" not in again.said()
    assert (tree.var / "secrets.json").read_bytes() == secrets
    leavers = Leavers(again)
    again.signal(signal.SIGKILL)
    wait_until(lambda: not leavers.left(), within=30, what="all processes have gone")


def test_a_killed_launcher_leaves_nothing_and_the_next_start_works_at_once(tree: Tree, start: Start) -> None:
    """The next start is not given time: it waits by itself for what the kill left behind."""
    launch = start()
    launch.await_up()
    leavers = Leavers(launch)
    launch.signal(signal.SIGKILL)
    assert launch.await_end() == -signal.SIGKILL
    again = start()
    again.await_up()
    assert leavers.left() == []
    assert status(tree.port, "/readyz") == 200


def test_everything_killed_at_once_is_recovered(tree: Tree, start: Start) -> None:
    """As after a power cut: PostgreSQL finds its stale lock file and recovers."""
    launch = start()
    launch.await_up()
    leavers = Leavers(launch)
    for each in [*leavers.family, process(launch.process.pid)]:
        if each.alive():
            os.kill(each.pid, signal.SIGKILL)
    launch.await_end()
    again = start()
    again.await_up()
    assert leavers.left() == []
    assert status(tree.port, "/readyz") == 200


def test_a_launcher_that_is_ended_while_it_starts_leaves_nothing(tree: Tree, start: Start) -> None:
    launch = start()
    wait_until(lambda: "starting PostgreSQL" in launch.said(), within=60, what="PostgreSQL is started")
    launch.signal(signal.SIGTERM)
    family = launch.family()
    assert launch.await_end() == 0
    assert "everything is up" not in launch.said()
    assert not [each for each in family if each.alive()]


def test_make_that_is_killed_takes_the_launcher_with_it(tree: Tree) -> None:
    """`kill -9` of make says nothing to its recipe; the launcher must notice."""
    output = tree.root / "make.out"
    with output.open("wb") as out:
        make = subprocess.Popen(
            ["make", "run", f"PYTHON={sys.executable}"],
            cwd=tree.root,
            env=tree.environment(),
            stdout=out,
            stderr=out,
        )
    try:
        wait_until(lambda: "everything is up" in output.read_text(), within=90, what="make run is up")
        family = descendants(make.pid)
    finally:
        make.kill()
        make.wait()
    assert len(family) >= 11
    wait_until(lambda: not any(each.alive() for each in family), within=30, what="all have gone")


@pytest.mark.parametrize(
    "mark", ["gunicorn config.wsgi", "/postgres -D", "config.celery worker", "valkey-server"]
)
def test_a_process_that_dies_is_started_again(running: Launch, mark: str) -> None:
    def main_process() -> list[Process]:
        return [
            each
            for each in running.family()
            if mark in command_line(each.pid, limit=None) and parent_of(each.pid) == running.process.pid
        ]

    (first,) = main_process()
    os.kill(first.pid, signal.SIGKILL)
    wait_until(lambda: (now := main_process()) and now != [first], within=30, what=f"{mark} runs again")
    wait_until(lambda: status(running.tree.port, "/readyz") == 200, within=30, what="ready again")
    assert "died (exit code -9)" in running.said()


@pytest.mark.skipif(os.geteuid() != 0, reason="the tests run as an ordinary user already")
@pytest.mark.parametrize("uid", [NOBODY, 4_000_000], ids=["with an entry in the password file", "without"])
def test_an_ordinary_user_starts_and_stops_everything(folder_for_all: Path, uid: int) -> None:
    """What root may do is no proof for others: not one of its processes is root's."""
    if not runs_for(uid):
        pytest.skip(f"{sys.executable} can't be run by other users")
    tree = Tree(folder_for_all, uid=uid)
    launch = tree.start()
    try:
        launch.await_up()
        assert status(tree.port, "/readyz") == 200
        leavers = Leavers(launch)
        owners = {Path(f"/proc/{each.pid}").stat().st_uid for each in leavers.family if each.alive()}
        assert owners == {uid}
        launch.signal(signal.SIGTERM)
        assert launch.await_end() == 0
        assert leavers.left() == []
    finally:
        launch.clean_up()


def test_a_second_launcher_is_refused_while_the_first_runs(running: Launch) -> None:
    second = running.tree.start()
    assert second.await_end() == 1
    assert f"already running here (process {running.process.pid})" in second.said()
    assert running.process.poll() is None


def test_a_port_that_is_taken_is_named_before_anything_starts(tree: Tree, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        launch = start(PORT=str(port))
        assert launch.await_end() == 1
    assert f"port {port} is taken by" in launch.said()
    assert f"(process {os.getpid()})" in launch.said()
    assert "set PORT=" in launch.said()
    assert "starting PostgreSQL" not in launch.said()


def test_the_processes_log_in_as_the_app_and_never_see_the_owner(running: Launch) -> None:
    checked = 0
    for each in running.family():
        try:
            environ = Path(f"/proc/{each.pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since; PostgreSQL's workers come and go
        assert b"quittance_owner" not in environ
        assert b"postgresql://postgres:" not in environ
        if b"\0DATABASE_URL=" in b"\0" + environ:
            checked += 1
            assert b"DATABASE_URL=postgresql://quittance_app:" in environ
    assert checked >= 5


def test_what_it_writes_with_secrets_in_it_is_private(running: Launch) -> None:
    tree = running.tree
    for name in ("dev.json", "secrets.json", "valkey/valkey.conf"):
        assert stat.S_IMODE((tree.var / name).stat().st_mode) == 0o600, name
    facts = tree.dev_file()
    assert facts["api_url"] == f"http://127.0.0.1:{tree.port}"
    assert {"api_key", "webhook_secret", "admin_user", "admin_password", "store_url"} <= set(facts)
    said = running.output.read_text()
    [secret] = parse_qs(urlsplit(facts["admin_otpauth_url"]).query)["secret"]
    assert base64.b32decode(secret).hex() == facts["admin_totp_secret"]
    assert secret in said, "who signs in is asked for a code: where it comes from is said"


def test_the_store_is_where_it_is_said_to_be_and_is_connected(running: Launch) -> None:
    facts = running.tree.dev_file()
    with urllib.request.urlopen(facts["store_url"], timeout=10) as answer:
        shown = answer.read().decode()
    assert "Books and bicycles" in shown and "not connected" not in shown
