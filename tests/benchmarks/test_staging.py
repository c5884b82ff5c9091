"""How fast a settlement file is received, read, staged and published, in how much memory (F-H7).

`make bench ARGS="-k staging"`; BENCH_LINES says how many lines (1 000 000 by default). The file is Stripe's
payout reconciliation; a process of its own stages it. Beside it, in the same run, the same rows go into the
same table without triggers by COPY alone: nothing that stages lines can be faster than that.
"""

import os
import time
from pathlib import Path

import pytest

from reconciliation.models import LineChange, SettlementFile, SettlementSource
from tests.benchmarks.conftest import SLACK, table
from tests.benchmarks.cpu import server_seconds
from tests.database import owner_connection
from tests.reconciliation.conftest import Desk
from tests.reconciliation.made import write_payout_reconciliation
from tests.reconciliation.stager import stager_env, start, told

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

LINES = int(os.environ.get("BENCH_LINES", "1000000"))
FLOOR = 60_000  # lines per second, read and staged, on two cores
MOST_MIB = 300
CORRECTED = 7
FORMAT = "stripe.payout_reconciliation"


def stage(source: SettlementSource, path: Path) -> dict[str, float]:
    """Receive and stage a file, in processes of their own; what that took."""
    day = "2026-11-29"
    received = told(start(stager_env(), "receive", source.id, path, day, day))
    before = server_seconds()
    worked = told(start(stager_env(), "work"))
    file = SettlementFile.objects.filter(source=source).latest("number")
    assert file.status == "PUBLISHED", (file.status, file.staged_lines, file.refusal)
    return {
        "receiving": received["seconds"],
        "staging": worked["seconds"],
        "worker_cpu": worked["cpu"],
        "server_cpu": server_seconds() - before,
        "peak_mib": max(received["peak_mib"], worked["peak_mib"]),
    }


def bare_copy(folder: Path) -> float:
    """Seconds that COPY alone takes for the rows that are staged, with the same index and checks."""
    rows = folder / "rows"
    with owner_connection() as owner:
        owner.execute("CREATE TABLE bare (LIKE reconciliation_settlementline INCLUDING ALL)")
        with (
            rows.open("wb") as out,
            owner.cursor().copy("COPY (SELECT * FROM reconciliation_settlementline) TO STDOUT") as copy,
        ):
            for piece in copy:
                out.write(piece)
        owner.commit()
        started = time.perf_counter()
        with rows.open("rb") as content, owner.cursor().copy("COPY bare FROM STDIN") as copy:
            while piece := content.read(1024**2):
                copy.write(piece)
        owner.commit()
        spent = time.perf_counter() - started
        owner.execute("DROP TABLE bare")
    rows.unlink()
    return spent


def test_staging(transactional_db: None, tmp_path: Path) -> None:
    """F-H7: so many lines a second, in bounded memory, and three times the file in three times the time."""
    desk = Desk()
    source = desk.source(format=FORMAT)
    path = tmp_path / "one.csv"
    net = write_payout_reconciliation(path, LINES)
    one = stage(source, path)
    file = SettlementFile.objects.get(source=source)
    assert (file.lines_count, file.totals["counted"]["EUR"]["net"]) == (LINES, net)
    bare = bare_copy(tmp_path)
    write_payout_reconciliation(path, LINES, corrected=CORRECTED)
    second = stage(source, path)
    assert LineChange.objects.filter(file__supersedes=file).count() == CORRECTED
    path.unlink()

    larger = tmp_path / "three.csv"
    write_payout_reconciliation(larger, LINES * 3)
    three = stage(desk.source(format=FORMAT), larger)
    table(
        f"{LINES:,} lines of {file.size / LINES:.0f} bytes",
        {
            "receive, s": one["receiving"],
            "read, stage, count and publish, s": one["staging"],
            "of that CPU of the worker, s": one["worker_cpu"],
            "CPU of the server beside it, s": one["server_cpu"],
            "lines/s": f"{LINES / one['staging']:,.0f}",
            "the same as a new version, with its differences, s": second["staging"],
            "bare COPY of the same rows, s": bare,
            "staging is so many times bare COPY": one["staging"] / bare,
            "most memory of a process, MiB": one["peak_mib"],
            f"{LINES * 3:,} lines, s": three["staging"],
            "times the time of a third": three["staging"] / one["staging"],
            "times the CPU of a third": _cpu(three) / _cpu(one),
            "most memory then, MiB": three["peak_mib"],
        },
    )
    assert max(one["peak_mib"], three["peak_mib"]) <= MOST_MIB
    assert LINES / one["staging"] >= FLOOR / SLACK
    # In CPU: the time of minutes tells as much of what else the machine did meanwhile.
    assert _cpu(three) / _cpu(one) <= 3.6


def _cpu(spent: dict[str, float]) -> float:
    return spent["worker_cpu"] + spent["server_cpu"]
