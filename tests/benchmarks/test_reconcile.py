"""How fast a settlement file is matched and classified, in how much memory (F-H7, DESIGN 17).

`make bench ARGS="-k reconcile"`; BENCH_LINES says how many payments the month has (1 000 000 by default). The
payments of a made-up month stand in the tables, and one file has all of it, with the differences that are
planted in it; a process of its own matches it. Beside it, in the same run, the same lines are copied into a
bare table and joined with the charges: no matching that keeps its lines can be faster than that.
"""

import os
import time
from pathlib import Path

import pytest

from reconciliation.models import ReconciliationRun, SettlementFile
from tests.benchmarks.conftest import SLACK, table
from tests.database import owner_connection
from tests.months import month
from tests.reconciliation.seeded import play
from tests.reconciliation.stager import stager_env, start, told

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

LINES = int(os.environ.get("BENCH_LINES", "1000000"))
FLOOR = 66_000  # lines per second, matched and classified, on two cores
MOST_MIB = 300


def copy_and_join(folder: Path) -> float:
    """Seconds that it takes to copy the lines and to write down which charge each is of."""
    rows = folder / "rows"
    with owner_connection() as owner:
        owner.execute("SET statement_timeout = 0")
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
        owner.execute(
            "CREATE TABLE bare_match AS SELECT bare.id AS line_id, charge.id AS charge_id FROM bare"
            " JOIN payments_charge AS charge ON charge.psp_reference = bare.related"
            " AND charge.amount_minor = bare.gross_minor"
        )
        owner.commit()
        spent = time.perf_counter() - started
        owner.execute("DROP TABLE bare, bare_match")
    rows.unlink()
    return spent


def test_reconcile(transactional_db: None, tmp_path: Path) -> None:
    """F-H7: a month of payments is matched and classified in seconds and in bounded memory."""
    played = play(month(seed=1, size=LINES, month="2026-10", per="month"))
    [file] = played.month.psp_files()
    path = tmp_path / file.name
    with path.open("wb") as out:
        file.write(out)
    told(start(stager_env(), "receive", played.source.id, path, "2026-10-01", "2026-10-31"))
    told(start(stager_env(), "work"), seconds=3_600)
    path.unlink()
    taken = SettlementFile.objects.get(source=played.source)
    assert taken.status == "PUBLISHED", (taken.status, taken.refusal)
    lines = taken.lines_count or 0
    bare = copy_and_join(tmp_path)
    matching = told(start(stager_env(), "match"), seconds=3_600)
    run = ReconciliationRun.objects.get(source=played.source)
    assert run.status == "MATCHED", run.error
    breaks = sum(run.counts["breaks"].values())
    table(
        f"{lines:,} lines of a month of {LINES:,} payments",
        {
            "match and classify, s": matching["seconds"],
            "of that CPU of the worker, s": matching["cpu"],
            "lines/s": f"{lines / matching['seconds']:,.0f}",
            "matched": f"{sum(run.counts['matched'].values()):,}",
            "breaks": f"{breaks:,}",
            "expected in later files": f"{run.counts['expected']:,}",
            "COPY and JOIN of the same lines, s": bare,
            "matching is so many times that": matching["seconds"] / bare,
            "most memory of the process, MiB": matching["peak_mib"],
        },
    )
    assert breaks > LINES // 2_000
    assert matching["peak_mib"] <= MOST_MIB
    assert lines / matching["seconds"] >= FLOOR / SLACK
