"""How fast a settlement file is read, matched, classified and posted, in how much memory (F-H7, DESIGN 17).

`make bench ARGS="-k reconcile"`; BENCH_LINES says how many payments the month has (1 000 000 by default). The
payments of a made-up month stand in the tables, and one file has all of it, with the differences that are
planted in it; processes of their own receive, stage, match and post it. Beside it, in the same run, the same
lines are copied into a bare table and joined with the charges: nothing that keeps its lines and tells whose
they are can be faster than that.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from django.db import connection

from reconciliation.models import ReconciliationRun, SettlementFile
from tests.benchmarks.conftest import SLACK, table
from tests.benchmarks.cpu import server_seconds
from tests.database import owner_connection
from tests.months import month
from tests.reconciliation.seeded import play
from tests.reconciliation.stager import stager_env, start, told

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

LINES = int(os.environ.get("BENCH_LINES", "1000000"))
MOST_SECONDS = 60  # for a million lines, from the first byte to the last entry, on two cores
MOST_MIB = 300
# What was measured must also be right: what is in transit is what the file reports.
_IN_TRANSIT = """
    SELECT line.currency, sum(line.amount_minor) FROM ledger_journalline AS line
    JOIN ledger_account AS account ON account.id = line.account_id
    WHERE account.role = 'psp_settlement_in_transit' GROUP BY 1
"""
_REPORTED = """
    SELECT currency, sum(net_minor) FROM reconciliation_settlementline
    WHERE kind NOT IN ('payout', 'payout_reversal') GROUP BY 1
"""
PARTS = ("receive", "stage", "match and classify", "post")


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


def taken(*arguments: object) -> dict[str, float]:
    """What a process that does this takes, and the server for it."""
    before = server_seconds()
    spent = told(start(stager_env(), *arguments), seconds=3_600)
    return {**spent, "server": server_seconds() - before}


def test_reconcile(transactional_db: None, tmp_path: Path) -> None:
    """F-H7: a month of payments is in the books in a minute for a million lines, in bounded memory."""
    played = play(month(seed=1, size=LINES, month="2026-10", per="month"))
    [file] = played.month.psp_files()
    path = tmp_path / file.name
    with path.open("wb") as out:
        file.write(out)
    received = taken("receive", played.source.id, path, "2026-10-01", "2026-10-31")
    staged = taken("work")
    path.unlink()
    stored = SettlementFile.objects.get(source=played.source)
    assert stored.status == "PUBLISHED", (stored.status, stored.refusal)
    lines = stored.lines_count or 0
    bare = copy_and_join(tmp_path)
    matched = taken("match")
    run = ReconciliationRun.objects.get(source=played.source)
    assert run.status == "MATCHED", run.error
    posted = taken("post")
    run.refresh_from_db()
    assert run.status == "POSTED", run.error
    spent = dict(zip(PARTS, (received, staged, matched, posted), strict=True))
    whole = sum(each["seconds"] for each in spent.values())
    most = max(each["peak_mib"] for each in spent.values())
    breaks = sum(run.counts["breaks"].values())
    table(
        f"{lines:,} lines of a month of {LINES:,} payments: seconds",
        {
            **{part: _told(each) for part, each in spent.items()},
            "the whole": f"{whole:.2f}, {lines / whole:,.0f} lines/s",
            "COPY and JOIN of the same lines": bare,
            "the whole is so many times that": whole / bare,
        },
    )
    table(
        "what became of them",
        {
            "matched": f"{sum(run.counts['matched'].values()):,}",
            "breaks": f"{breaks:,}",
            "expected in later files": f"{run.counts['expected']:,}",
            "lines of the books": f"{_posted():,}",
            "most memory of a process, MiB": most,
        },
    )
    assert breaks > LINES // 2_000
    assert most <= MOST_MIB
    assert whole <= MOST_SECONDS * SLACK * max(lines, 1) / 1_000_000
    assert _sums(_IN_TRANSIT) == _sums(_REPORTED)


def _told(spent: Mapping[str, float]) -> str:
    return f"{spent['seconds']:.2f}, CPU {spent['cpu']:.2f} and {spent['server']:.2f} of the server"


def _sums(sql: str) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return {currency: int(minor) for currency, minor in cursor.fetchall()}


def _posted() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_journalline")
        return int(cursor.fetchone()[0])
