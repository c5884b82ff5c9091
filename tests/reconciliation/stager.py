"""A process that receives and stages files, for what must be seen from outside: its memory, and its death.

`python -m tests.reconciliation.stager receive SOURCE PATH FIRST LAST` takes a file in, `… work` does what is due of
files, and `… match` what is due of runs.
It prints one line of JSON: seconds, CPU seconds and the most memory it ever had, in MiB.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import django
from django.conf import settings
from django.db import connection

__all__ = ["start", "stager_env", "told"]

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


def told(process: "subprocess.Popen[str]", *, seconds: float = 600) -> dict[str, float]:
    """Wait for its end, which must be a good one; return what it printed."""
    out, _ = process.communicate(timeout=seconds)
    assert process.returncode == 0, process.returncode
    answer: dict[str, float] = json.loads(out)
    return answer


def _main(what: str, *arguments: str) -> None:
    from core.drain import get_drain
    from reconciliation.ingest import writer
    from reconciliation.ingest.receive import DRAIN
    from reconciliation.matching.runs import DRAIN as RUNS
    from reconciliation.services import receive_file
    from tests.reconciliation.plain import register

    register()
    writer.CHUNK_LINES = int(os.environ.get("STAGER_CHUNK", writer.CHUNK_LINES))
    started = time.perf_counter()
    if what == "receive":
        source, path, first, last = arguments
        with Path(path).open("rb") as body:
            days: Any = {"asked_from": date.fromisoformat(first), "asked_to": date.fromisoformat(last)}
            receive_file(
                source_id=UUID(source), name=Path(path).name, body=body, origin="upload", by="user:x", **days
            )
    else:
        get_drain({"work": DRAIN, "match": RUNS}[what]).run()
    status = Path("/proc/self/status").read_text()
    peak = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))
    spent = {
        "seconds": time.perf_counter() - started,
        "cpu": time.process_time(),
        "peak_mib": peak / 1024,
    }
    print(json.dumps(spent))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    _main(*sys.argv[1:])
