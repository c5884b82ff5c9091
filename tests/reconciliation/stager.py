"""A process that receives, stages, matches and posts files, for what must be seen from outside: its memory,
and its death.

`python -m tests.reconciliation.stager receive SOURCE PATH FIRST LAST` takes a file in, `… fetch` looks at the
sources, `… work` does what is due of files and `… run [STATEMENTS [LINES]]` of runs: it dies of SIGKILL
before that statement of the database, and posts so many lines at a time. Of every run that is due `… match`
does only the matching, and `… post` only what is posted of it: its lines, and what its rules put right. It
prints one line of JSON: seconds and CPU seconds of that, and the most memory it ever had, in MiB. `… serve`
does such a thing for each line that it reads, in a child that it forks, so that a death is cheap.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import date
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import django
import psycopg
from django.conf import settings
from django.db import connection

from config.memory import settle

if TYPE_CHECKING:
    from core.drain import Claim

__all__ = ["Forks", "stager_env", "start", "told"]

ROOT = Path(__file__).resolve().parents[2]


def stager_env(hooks: Path | None = None, **more: str) -> dict[str, str]:
    """The environment of a process beside this test: its database, and its hooks if there are any."""
    url = urlsplit(settings.DATABASE_URL)
    mine = {"DATABASE_URL": urlunsplit(url._replace(path=f"/{connection.settings_dict['NAME']}"))}
    steered = {"TEST_HOOKS": "True", "HOOKS_DIR": str(hooks)} if hooks else {"TEST_HOOKS": "False"}
    return {**os.environ, **mine, **steered, **more}


def start(env: Mapping[str, str], *arguments: object) -> "subprocess.Popen[str]":
    """Start it."""
    command = [sys.executable, "-m", "tests.reconciliation.stager", *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, env=dict(env), stdout=subprocess.PIPE, text=True)


class Forks:
    """The process that forks, seen from the test."""

    def __init__(self, env: Mapping[str, str]) -> None:
        command = [sys.executable, "-m", "tests.reconciliation.stager", "serve"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, env=dict(env), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *arguments: object) -> int:
        """Let a child do that; return how it ended: minus the signal that killed it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps([str(each) for each in arguments]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def end(self) -> None:
        """Stop it."""
        self._process.communicate(timeout=20)


def told(process: "subprocess.Popen[str]", *, seconds: float = 600) -> dict[str, float]:
    """Wait for its end, which must be a good one; return what it printed."""
    out, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, process.returncode
    answer: dict[str, float] = json.loads(out)
    return answer


def _main(what: str, *arguments: str) -> None:
    from core.drain import get_drain
    from reconciliation.ingest import stage, writer
    from reconciliation.ingest.receive import DRAIN
    from reconciliation.matching.runs import DRAIN as RUNS
    from reconciliation.matching.runs import match_run
    from reconciliation.posting.steps import post_run
    from reconciliation.resolving.steps import adjust_run
    from reconciliation.services import fetch_due, receive_file
    from tests.reconciliation.plain import register

    register()
    started, cpu = time.perf_counter(), time.process_time()
    if what == "receive":
        source, path, first, last = arguments
        with Path(path).open("rb") as body:
            days: Any = {"asked_from": date.fromisoformat(first), "asked_to": date.fromisoformat(last)}
            receive_file(
                source_id=UUID(source), name=Path(path).name, body=body, origin="upload", by="user:x", **days
            )
    elif what == "run":
        _die_before(*map(int, arguments))
        get_drain(RUNS).run(seconds=600)
    elif what == "match":
        _take(match_run)
    elif what == "post":
        _take(post_run, adjust_run)
    elif what == "fetch":
        fetch_due()
    else:
        writer.CHUNK_LINES = stage.CHUNK_LINES = int(arguments[0]) if arguments else writer.CHUNK_LINES
        get_drain(DRAIN).run()
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    spent = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time() - cpu,
        "peak_mib": peak / 1024,
    }
    print(json.dumps(spent))


def _take(*steps: Callable[["Claim"], str]) -> None:
    """Take every run that is due through some of its steps, as if it had just been claimed."""
    from core.drain import Claim
    from reconciliation.models import ReconciliationRun

    for run in ReconciliationRun.objects.filter(due_at__isnull=False).order_by("due_at"):
        for step in steps:
            step(Claim(run.id, run.fence, run.attempts))


def _die_before(statements: int = 0, lines: int = 0) -> None:
    """Let this process die before a statement, whichever thread comes to it, and post in small portions."""
    from reconciliation.posting import chunks

    chunks.SPAN = lines or chunks.SPAN
    numbers, execute = count(1), psycopg.Cursor.execute

    def die_or_execute(cursor: Any, *arguments: Any, **options: Any) -> Any:
        if next(numbers) == statements:
            os.kill(os.getpid(), signal.SIGKILL)
        return execute(cursor, *arguments, **options)

    psycopg.Cursor.execute = die_or_execute  # type: ignore[method-assign]


def _serve() -> None:
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # What the children print is nobody's answer.
    for line in sys.stdin:
        connection.close()
        child = os.fork()
        if child == 0:
            _main(*json.loads(line))
            os._exit(0)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), file=out, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    settle()  # As a worker does.
    if sys.argv[1:] == ["serve"]:
        _serve()
    else:
        _main(*sys.argv[1:])
