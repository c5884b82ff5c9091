"""The launcher for real: every way to end it leaves nothing behind, and the next start works."""

import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ops.procfs import command_line, process
from tests.ops.launched import Launch, Leavers, Tree
from tests.ops.waiting import wait_until

pytestmark = [pytest.mark.launcher, pytest.mark.processes]

Start = Callable[..., Launch]


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


def status(port: int, path: str) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def test_ctrl_c_ends_everything_with_code_zero(tree: Tree, start: Start) -> None:
    launch = start()
    launch.await_up()
    assert status(tree.port, "/readyz") == 200
    leavers = Leavers(launch)
    launch.signal(signal.SIGINT)
    assert launch.await_end() == 0
    assert leavers.left() == []


def test_sigterm_ends_everything_and_the_next_start_finds_the_data(tree: Tree, start: Start) -> None:
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


def test_a_killed_launcher_leaves_nothing_when_nobody_starts_again(tree: Tree, start: Start) -> None:
    launch = start()
    launch.await_up()
    leavers = Leavers(launch)
    launch.signal(signal.SIGKILL)
    launch.await_end()
    wait_until(lambda: not leavers.left(), within=30, what="all processes have gone")


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


def test_processes_that_die_are_started_again(tree: Tree, start: Start) -> None:
    launch = start()
    launch.await_up()
    for mark in ("gunicorn config.wsgi", "/postgres -D", "celery -A config.celery worker"):
        (main,) = [
            each
            for each in launch.family()
            if mark in command_line_of(each.pid) and parent_is(each.pid, launch.process.pid)
        ]
        os.kill(main.pid, signal.SIGKILL)
        wait_until(
            lambda mark=mark: any(
                mark in command_line_of(each.pid) and parent_is(each.pid, launch.process.pid)
                for each in launch.family()
            ),
            within=30,
            what=f"{mark} runs again",
        )
        wait_until(lambda: status(tree.port, "/readyz") == 200, within=30, what="ready again")
    assert "died" in launch.said()


def test_a_second_launcher_is_refused_while_the_first_runs(tree: Tree, start: Start) -> None:
    first = start()
    first.await_up()
    second = start()
    assert second.await_end() == 1
    assert f"already running here (process {first.process.pid})" in second.said()
    assert status(tree.port, "/readyz") == 200


def test_a_port_that_is_taken_is_named_before_anything_starts(tree: Tree, start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        launch = start(PORT=str(port))
        assert launch.await_end() == 1
    assert f"port {port} is taken by" in launch.said()
    assert f"(process {os.getpid()})" in launch.said()
    assert "set PORT=" in launch.said()
    assert "starting PostgreSQL" not in launch.said()


def test_the_processes_log_in_as_the_app_and_never_see_the_owner(tree: Tree, start: Start) -> None:
    launch = start()
    launch.await_up()
    checked = 0
    for each in launch.family():
        environ = Path(f"/proc/{each.pid}/environ").read_bytes()
        if b"\0DATABASE_URL=" in environ:
            checked += 1
            assert b"postgresql://quittance_app:" in environ
            assert b"quittance_owner" not in environ
            assert b"postgresql://postgres:" not in environ
    assert checked >= 5


def test_what_it_writes_with_secrets_in_it_is_private(tree: Tree, start: Start) -> None:
    launch = start()
    launch.await_up()
    for name in ("dev.json", "secrets.json", "valkey/valkey.conf"):
        assert stat.S_IMODE((tree.var / name).stat().st_mode) == 0o600, name
    facts = tree.dev_file()
    assert facts["api_url"] == f"http://127.0.0.1:{tree.port}"
    assert {"api_key", "webhook_secret", "admin_user", "admin_password", "store_url"} <= set(facts)


def test_make_that_is_killed_takes_the_launcher_with_it(tree: Tree, start: Start) -> None:
    """`kill -9` of make says nothing to its recipe; the launcher must notice."""
    launch = start()  # only to borrow its environment and output
    launch.await_up()
    launch.signal(signal.SIGTERM)
    launch.await_end()
    env = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    env |= {"QUITTANCE_VENV": sys.prefix, "PORT": str(tree.port), "SANDBOX_PORT": str(tree.sandbox_port)}
    output = tree.root / "make.out"
    with output.open("wb") as out:
        make = subprocess.Popen(
            ["make", "run", f"PYTHON={sys.executable}"], cwd=tree.root, env=env, stdout=out, stderr=out
        )
    try:
        wait_until(lambda: "everything is up" in output.read_text(), within=90, what="make run is up")
        from ops.procfs import descendants

        family = descendants(make.pid)
    finally:
        make.kill()
        make.wait()
    assert len(family) >= 11
    wait_until(lambda: not any(each.alive() for each in family), within=30, what="all have gone")


def command_line_of(pid: int) -> str:
    """The whole command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return command_line(pid)


def parent_is(pid: int, parent: int) -> bool:
    from ops.procfs import parent_of

    return parent_of(pid) == parent
