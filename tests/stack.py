"""The whole system as real processes: web, worker, beat and sandbox, on free ports, with a broker of its own.

Nothing here is shared with the process that runs the tests except the database and the hooks folder, so
that a test can kill, stop and starve what production kills, stops and starves.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ops.valkey import find_server
from ops.venv import VirtualEnvironment
from tests.waiting import eventually

__all__ = ["Answer", "Stack", "free_port", "http", "is_alive", "is_stopped"]

ROOT = Path(__file__).resolve().parent.parent


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Answer:
    """What came back over HTTP."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def http(method: str, url: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
    """One request without retries; a refused connection raises."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=dict(headers or {}))
    if data is not None:
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


class Stack:
    """Processes by name; `start` and `kill` any of them at any time."""

    def __init__(self, folder: Path, *, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.web_port, self.sandbox_port, self.broker_port = free_port(), free_port(), free_port()
        self.control_port = free_port()
        self.hooks = folder / "hooks"
        self.hooks.mkdir(parents=True, exist_ok=True)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": self.broker_url,
            "PUBLIC_URL": self.web_url,
            "DEBUG": "False",
            "TEST_HOOKS": "True",
            "HOOKS_DIR": str(self.hooks),
            "LOG_LEVEL": "WARNING",
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
            # Short, so that a crash test waits seconds for what production waits half a minute for.
            "OPERATION_LEASE_SECONDS": "3",
            "INBOX_LEASE_SECONDS": "3",
            "DELIVERY_LEASE_SECONDS": "3",
            "IDLE_IN_TRANSACTION_TIMEOUT_MS": "2000",
            # As in production; the suite itself is given more.
            "LOCK_TIMEOUT_MS": "2000",
            "STATEMENT_TIMEOUT_MS": "5000",
            "BODY_SECONDS": "3",
            "PSP_CONNECT_TIMEOUT": "1",
            "PSP_READ_TIMEOUT": "2",
            "PSP_DEADLINE": "2.5",
            **settings,
        }

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    @property
    def broker_url(self) -> str:
        return f"redis://127.0.0.1:{self.broker_port}/0"

    def command(self, name: str) -> list[str]:
        """How a process is started; `worker-1` and `worker-2` are two of a kind."""
        python = sys.executable
        celery = [python, "-m", "celery", "-A", "config.celery"]
        broker = find_server(venv=VirtualEnvironment(Path(sys.prefix)))
        return {
            "broker": [str(broker), "--port", str(self.broker_port), "--bind", "127.0.0.1", "--save", ""],
            "sandbox": [
                *(python, "-m", "sandbox", "--data", str(self.folder / "sandbox")),
                *("--port", str(self.sandbox_port), "--control-port", str(self.control_port)),
                *("--webhook-timeout", "2", "--webhook-retries", ",".join(["0.5"] * 40)),
            ],
            # Two workers: when one is stopped, the other takes over what comes in.
            "web": [
                *(
                    python,
                    "-m",
                    "gunicorn",
                    "config.wsgi:application",
                    "--bind",
                    f"127.0.0.1:{self.web_port}",
                ),
                *("--worker-class", "gthread", "--workers", "2", "--threads", "8", "--timeout", "120"),
                *("--no-control-socket", "--access-logfile", "-", "--access-logformat", "done %(p)s"),
            ],
            "worker": [
                *(*celery, "worker", "--pool", "solo", "-n", f"{name}@%h", "-l", "WARNING"),
                *("--without-gossip", "--without-mingle"),
            ],
            "prefork": [
                *(*celery, "worker", "--pool", "prefork", "--concurrency", "2", "-n", f"{name}@%h"),
                *("-l", "WARNING", "--without-gossip", "--without-mingle"),
            ],
            "beat": [
                *(*celery, "beat", "-l", "WARNING", "--pidfile="),
                *("--schedule", str(self.folder / f"{name}.db")),
            ],
        }[name.split("-")[0]]

    def start(self, *names: str) -> None:
        """Start processes and wait until those with a port answer."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.command(name), cwd=ROOT, env=self.env, stdout=log, stderr=log, start_new_session=True
                )
        for name in names:
            self._wait_until_up(name)

    def _wait_until_up(self, name: str) -> None:
        port = self._port(name)
        if port is None:
            return
        eventually(
            lambda: _listens(port) or self.processes[name].poll() is not None, what=f"{name} on {port}"
        )
        assert self.processes[name].poll() is None, self.log(name)[-3000:]

    def _port(self, name: str) -> int | None:
        # The sandbox opens its control port last.
        return {"web": self.web_port, "sandbox": self.control_port, "broker": self.broker_port}.get(name)

    def log(self, name: str) -> str:
        """What the process has said so far."""
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def kill(self, name: str, number: signal.Signals = signal.SIGKILL) -> None:
        """Signal the process and all its children."""
        process = self.processes[name]
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        if number in (signal.SIGKILL, signal.SIGTERM):
            process.wait(timeout=20)
            if port := self._port(name):
                eventually(lambda: not _listens(port), what=f"the last child of {name} has gone")

    def name_of(self, pid: int) -> str:
        """Which of our processes this is, or is a child of."""
        group = os.getpgid(pid)
        return next(name for name, process in self.processes.items() if process.pid == group)

    def restart(self, name: str) -> None:
        """Kill the process if it is there and start it again."""
        if name in self.processes:
            self.kill(name)
        self.start(name)

    def stop(self) -> None:
        """Kill everything; frozen processes too."""
        for name in list(self.processes):
            self.kill(name)

    def api(self, method: str, path: str, body: Any = None, *, key: str, idem: str | None = None) -> Answer:
        """One API call."""
        headers = {"Authorization": f"Bearer {key}"}
        if idem:
            headers["Idempotency-Key"] = idem
        return http(method, self.web_url + path, body, headers)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """One call to the sandbox's control API."""
        answer = http(method, f"http://127.0.0.1:{self.control_port}/_sandbox/{path}", body)
        assert answer.status < 300, (answer.status, answer.body)
        return answer.json if answer.body else None


def is_stopped(pid: int) -> bool:
    """Whether every thread of the process stands still after SIGSTOP."""
    states = [
        path.read_text().rpartition(")")[2].split()[0] for path in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return bool(states) and set(states) == {"T"}


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that only waits to be buried does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in ("Z", "X")
    except OSError:
        return False
