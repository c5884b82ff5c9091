"""How many lines a second the books are sealed, audited as a whole, exported and verified.

`make bench ARGS="-k audit_rate"`; BENCH_LINES says how many lines (300 000 by default). Entries have three
lines: one clearing account that all share, a thousand commission accounts, and their taxes.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import call_command

from core.audits import AuditReport, registered, run_audits
from ledger.services import advance_checkpoints, seal_entries
from tests.database import owner_connection
from tests.ledger.books import Books, rows, run
from tests.ledger.sealing import SCRIPT

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

LINES = int(os.environ.get("BENCH_LINES", "300000"))
FLOOR = 200_000  # lines per second, for the books' own audits together, on two cores
SLACK = float(os.environ.get("BENCH_SLACK", "4"))
# What adds up the lines again: entries, books, accounts, days, wallets.
REDERIVING = {
    *("entry_balances", "books_balance", "entry_has_its_lines", "line_belongs", "clearing_key_where_due"),
    *("checkpoint_is_the_sum", "day_totals_are_the_sum", "wallet_is_its_accounts"),
}

GENERATE = """
    ALTER TABLE ledger_journalentry DISABLE TRIGGER USER;
    ALTER TABLE ledger_journalline DISABLE TRIGGER USER;
    ALTER TABLE ledger_journalline DROP CONSTRAINT ledger_line_account_fk;
    ALTER TABLE ledger_journalline DROP CONSTRAINT ledger_line_entry_fk;
    INSERT INTO ledger_account (merchant_id, role, owner, currency, guarded, clearing)
        SELECT '{merchant}', 'commission', gen_random_uuid(), 'USD', false, false
        FROM generate_series(1, 1000);
    CREATE TEMPORARY TABLE plan ON COMMIT DROP AS
        SELECT n, number, amount, CASE number WHEN 1 THEN {clearing} WHEN 2 THEN owners[1 + n % 1000]
                ELSE {tax} END AS account, CASE number WHEN 1 THEN md5(n::text) END AS key
        FROM (SELECT array_agg(id) AS owners FROM ledger_account
              WHERE merchant_id = '{merchant}' AND owner IS NOT NULL) AS known,
            generate_series({first}, {first} + {entries} - 1) AS n,
            (VALUES (1, 10000), (2, -9000), (3, -1000)) AS leg (number, amount);
    INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor, currency,
            clearing_key)
        SELECT n * 1024 + number, '{merchant}', n, number, account, amount, 'USD', key
        FROM plan ORDER BY n, number;
    INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,
            recorded_at, line_count, digest)
        SELECT n, '{merchant}', 'benchmark_posted', 'benchmark', md5(n::text)::uuid::text, 'capture',
            DATE '2026-01-01' + (n % 90)::int, now(), 3, sha256(convert_to(
                '16:benchmark_posted10:' || to_char(DATE '2026-01-01' + (n % 90)::int, 'YYYY-MM-DD') || '0:'
                || string_agg(length(account::text) || ':' || account || length(amount::text) || ':' || amount
                    || '3:USD' || coalesce('33:=' || key, '0:'), '' ORDER BY number), 'UTF8'))
        FROM plan GROUP BY n ORDER BY n;
    ALTER TABLE ledger_journalline ADD CONSTRAINT ledger_line_account_fk
        FOREIGN KEY (merchant_id, account_id, currency) REFERENCES ledger_account (merchant_id, id, currency);
    ALTER TABLE ledger_journalline ADD CONSTRAINT ledger_line_entry_fk
        FOREIGN KEY (merchant_id, entry_id) REFERENCES ledger_journalentry (merchant_id, id);
    ALTER TABLE ledger_journalentry ENABLE TRIGGER USER;
    ALTER TABLE ledger_journalline ENABLE TRIGGER USER;
    SELECT setval('ledger_journalentry_seq', {first} + {entries});
    UPDATE ledger_fence SET safe_entry = {first} + {entries} - 1, next_entry = NULL, next_xid = NULL;
    INSERT INTO ledger_fencemark (entry_id, marked_at, entries)
        VALUES ({first} + {entries} - 1, clock_timestamp(), {entries});
"""


def generate(books: Books) -> int:
    """Write the lines as the owner, without the guards that make it slow; return how many."""
    entries = LINES // 3
    with owner_connection() as owner:
        (first,) = owner.execute("SELECT last_value + 1 FROM ledger_journalentry_seq").fetchone() or (1,)
        owner.execute(
            GENERATE.format(
                merchant=books.merchant_id,
                clearing=books.clearing,
                tax=books.tax,
                first=first,
                entries=entries,
            ).encode()
        )
        owner.commit()
        owner.autocommit = True
        owner.execute("VACUUM ANALYZE")
    return entries * 3


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and seconds of CPU of this session's server process, which other work cannot slow much."""
    started, used = time.perf_counter(), _server_cpu()
    work()
    return time.perf_counter() - started, _server_cpu() - used


def _server_cpu() -> float:
    ((pid,),) = rows("SELECT pg_backend_pid()")
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_audit_rate(transactional_db: None, tmp_path: Path) -> None:
    """The floor holds for the audits that add up the lines again, all of them together."""
    books = Books()
    generating = time.perf_counter()
    lines = generate(books)
    print(f"\n{lines:,} lines, generated in {time.perf_counter() - generating:.1f} s")

    # One process does the work, so that its CPU time is all of it.
    run("SET max_parallel_workers_per_gather = 0")
    print(f"    {'':<44} {'s':>8} {'CPU s':>8} {'lines/s':>12} {'lines/CPU s':>12}")

    def show(what: str, spent: tuple[float, float]) -> None:
        seconds, cpu = spent
        rates = f"{lines / seconds:>12,.0f} {lines / cpu if cpu > 0.05 else 0:>12,.0f}"
        print(f"    {what:<44} {seconds:>8.2f} {cpu:>8.2f} {rates}")

    show("fold into checkpoints and day totals", timed(advance_checkpoints))
    show("seal", timed(seal_entries))
    reports: list[AuditReport] = []
    show("every registered invariant, full", timed(lambda: reports.append(run_audits())))
    assert reports[0].is_clean, [(each.name, each.sample) for each in reports[0].violated]
    for finding in sorted(reports[0].findings, key=lambda each: -each.milliseconds)[:14]:
        show(f"  {finding.name}", (max(finding.milliseconds, 1) / 1000, 0))
    names = {each.name for each in registered()} & REDERIVING
    assert names == REDERIVING
    spent = timed(lambda: run_audits(names=names, store=False))
    show("the eight that add the lines up again", spent)
    show("sealed_blocks_hold", timed(lambda: run_audits(names=["sealed_blocks_hold"], store=False)))
    show("incremental run with nothing new", timed(lambda: reports.append(run_audits(full=False))))
    file = tmp_path / "books.jsonl"
    with (tmp_path / "out").open("w") as out:
        show("export_books", timed(lambda: call_command("export_books", str(file), stdout=out)))
    done: list[subprocess.CompletedProcess[str]] = []
    script = [sys.executable, "-I", str(SCRIPT), str(file), "--json"]
    verify = lambda: done.append(subprocess.run(script, capture_output=True, text=True, check=False))  # noqa: E731
    show("verify_books.py", timed(verify))
    assert done[0].returncode == 0, done[0].stdout
    assert json.loads(done[0].stdout)["counts"]["line"] == lines
    assert lines / spent[0] >= FLOOR / SLACK
