"""A light load generator: threads with one kept-alive connection each, bounded in count and in time."""

import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

__all__ = ["Load", "percentile"]


@dataclass
class Load:
    """Requests of one kind, counted: `send` gets a connection and returns the answer's status."""

    url: str
    key: str
    body: Callable[[], dict[str, Any]]
    latencies: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.latencies) / self.seconds

    def at_once(self, *, count: int, threads: int, within: float) -> "Load":
        """Send as fast as the answers come, until `count` are there or the time is over."""
        return self._run(count, threads, within, lambda number, started: started)

    def paced(self, *, rate: float, threads: int, within: float) -> "Load":
        """Send at a fixed rate; latency counts from when a request was due, so a stall is not hidden."""
        return self._run(int(rate * within), threads, within * 2, lambda number, _: number / rate)

    def _run(self, count: int, threads: int, within: float, due: Callable[[int, float], float]) -> "Load":
        self.latencies, numbers, lock = [], iter(range(count)), threading.Lock()
        failures: list[Exception | str] = []
        begun = time.monotonic()

        def work() -> None:
            line = HTTPConnection(urlsplit(self.url).netloc, timeout=20)
            while not failures and time.monotonic() - begun < within:
                with lock:
                    number = next(numbers, None)
                if number is None:
                    break
                at = begun + due(number, time.monotonic() - begun)
                time.sleep(max(0.0, at - time.monotonic()))
                try:
                    status, content = self._post(line)
                except OSError as error:
                    failures.append(error)
                    break
                if status != 201:
                    failures.append(f"{status}: {content[:300]!r}")
                self.latencies.append(time.monotonic() - at)
            line.close()

        pool = [threading.Thread(target=work, daemon=True) for _ in range(threads)]
        for thread in pool:
            thread.start()
        for thread in pool:
            thread.join()
        self.seconds = time.monotonic() - begun
        assert not failures, failures[0]
        return self

    def _post(self, line: HTTPConnection) -> tuple[int, bytes]:
        headers = {
            "Authorization": f"Bearer {self.key}",
            "Idempotency-Key": uuid.uuid4().hex,
            "Content-Type": "application/json",
        }
        line.request("POST", "/v1/payments", body=json.dumps(self.body()), headers=headers)
        answer = line.getresponse()
        return answer.status, answer.read()


def percentile(values: list[float], part: int) -> float:
    """Return the value that `part` percent of the values do not exceed, in milliseconds."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * part // 100)] * 1000
