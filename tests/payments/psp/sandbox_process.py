"""A real sandbox process on free ports."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["SandboxProcess", "wait_for"]

ROOT = Path(__file__).resolve().parents[3]


def wait_for(question: Callable[[], Any], *, seconds: float = 15.0) -> Any:
    """Ask until the answer is truthy; fail at the deadline."""
    end = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < end, f"not within {seconds} s: {answer!r}"
        threading.Event().wait(0.01)
    return answer


class SandboxProcess:
    """`python -m sandbox`, its control API and its journal of effects."""

    def __init__(self, data: Path) -> None:
        command = [sys.executable, "-m", "sandbox", "--port", "0", "--data", str(data)]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]}
        )
        info = data / "sandbox.json"
        wait_for(lambda: info.exists() or self._process.poll() is not None)
        self._info = json.loads(info.read_text())
        self.url: str = self._info["url"]
        wait_for(self._is_up)

    def _is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/healthz", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def control(self, method: str, path: str, body: Any = None) -> Any:
        request = urllib.request.Request(
            f"{self._info['control_url']}/_sandbox/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{method} {path}: {error.read()!r}") from error

    def arm(self, kind: str, **conditions: Any) -> None:
        self.control("POST", "faults", {"kind": kind, **conditions})

    def effects(self, reference: str) -> list[str]:
        """The kinds of what really happened to a payment."""
        return [row["kind"] for row in self.control("GET", f"journal?payment_intent={reference}")["data"]]

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        assert self._process.wait(timeout=10) == 0
