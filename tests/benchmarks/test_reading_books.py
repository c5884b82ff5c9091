"""What it costs to read books of millions of lines, and to derive all of them again.

`BENCH_LINES` lines stand on one account: 200,000 by default, 10,000,000 for the figures in the documents.
"""

import os
import statistics
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from core.audits import run_audits
from ledger import statements
from ledger.selectors import balance_minor
from ledger.statements import Place
from tests.admin.people import console, person
from tests.benchmarks.big_books import LINES_PER_ENTRY, big_account
from tests.benchmarks.conftest import table
from tests.benchmarks.hordak import hordak
from tests.ledger.books import Books

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

LINES = int(os.environ.get("BENCH_LINES", "200000"))
HORDAK_LINES = int(os.environ.get("BENCH_HORDAK_LINES", LINES))
TAIL = 300  # entries since the last checkpoint
# A long account may cost so many times what a short one does; everything else depends on the machine.
RATIO = 5
READS = 200


@pytest.fixture
def books(transactional_db: None) -> Iterator[Books]:
    """Books whose clearing account is long, beside a short one of another currency."""
    shop = Books()
    with big_account(shop, LINES):
        shop.post(*[shop.sale(100) for _ in range(TAIL)])
        yield shop


def milliseconds(work: Callable[[], object], *, times: int = READS) -> float:
    """The median of some runs."""
    spent = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        spent.append((time.perf_counter() - started) * 1000)
    return statistics.median(spent)


def test_books_of_millions_of_lines(books: Books) -> None:
    """One filling serves all three, because it takes longer than they do."""
    console_pages(books)
    audit_rate()
    balances_and_statements(books)


def balances_and_statements(books: Books) -> None:
    """A balance and a page of a statement cost the same however long the account is."""
    short = Books(currency="EUR")
    short.post(*[short.sale(100) for _ in range(TAIL)])
    middle = Place(_middle() * 1024, is_older=True, balance_minor=0)
    oldest = Place(0, is_older=False, balance_minor=0)
    big, small = books.clearing, short.clearing
    found: dict[str, Any] = {
        "balance": milliseconds(lambda: balance_minor(account_id=big)),
        f"balance of an account of {TAIL:,} lines": milliseconds(lambda: balance_minor(account_id=small)),
        "statement, newest page": milliseconds(lambda: statements.statement(account_id=big)),
        "statement, a page in the middle": milliseconds(
            lambda: statements.statement(account_id=big, at=middle)
        ),
        "statement, oldest page": milliseconds(lambda: statements.statement(account_id=big, at=oldest)),
        f"statement of an account of {TAIL:,} lines": milliseconds(
            lambda: statements.statement(account_id=small)
        ),
        "the same balance as a plain sum": milliseconds(lambda: _plain_sum(big), times=3),
    }
    with hordak() as other:
        other.ask("fill", lines=HORDAK_LINES)
        found[f"with django-hordak, {HORDAK_LINES:,} lines"] = min(other.ask("balance", count=3)) * 1000
    table(f"ms to read, {LINES:,} lines on one account, {TAIL} entries since the checkpoint", found)
    assert balance_minor(account_id=big) == _plain_sum(big)
    assert found["balance"] <= RATIO * found[f"balance of an account of {TAIL:,} lines"]
    for page in ("newest page", "a page in the middle", "oldest page"):
        assert found[f"statement, {page}"] <= RATIO * found[f"statement of an account of {TAIL:,} lines"]
    assert found["balance"] * RATIO <= found[f"with django-hordak, {HORDAK_LINES:,} lines"]
    for at in (Place(2**63 - 1, is_older=True), middle, oldest):
        plan = _plan(at, big)
        assert "Seq Scan on ledger_journal" not in plan, plan


def console_pages(books: Books) -> None:
    """Every page of the books answers in the time of one look, however much there is."""
    client = console(person("fina", "finance_checker"))
    entry = _middle()
    pages = {
        "trial balance": f"/admin/ledger/account/trial-balance/?merchant={books.merchant_id}",
        "accounts": "/admin/ledger/account/",
        "statement": reverse("admin:ledger_account_change", args=[books.clearing]),
        "entries": "/admin/ledger/journalentry/",
        "entries, from the middle": f"/admin/ledger/journalentry/?older_than={entry}",
        "entries of one reference": f"/admin/ledger/journalentry/?q={entry}",
        "entry": reverse("admin:ledger_journalentry_change", args=[entry]),
        "wallets": "/admin/wallet/wallet/",
        "verdicts": "/admin/core/auditrun/latest/",
    }
    found: dict[str, Any] = {}
    for name, url in pages.items():
        assert client.get(url).status_code == 200, url
        found[name] = milliseconds(lambda url=url: client.get(url), times=5)
    table(f"ms per page of the console, {LINES:,} lines on one account", found)


def audit_rate() -> None:
    """The audits derive everything again; beside them a bare pass over the same lines."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM ledger_journalline")
        (lines,) = cursor.fetchone()
    bare = milliseconds(_bare_pass, times=3)
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
    ours = {each.name: each.milliseconds for each in report.findings if each.verdict == "clean"}
    total = sum(ours.values())
    slowest = sorted(ours.items(), key=lambda pair: -pair[1])[:6]
    table(
        f"audit of {lines:,} lines",
        {
            "lines/s, all invariants of the product": lines / total * 1000,
            "seconds": total / 1000,
            "lines/s of a bare pass (count, sum)": lines / bare * 1000,
            "audit / bare pass, time": total / bare,
            **{f"ms {name}": spent for name, spent in slowest},
        },
    )
    assert {"entry_balances", "books_balance", "line_belongs", "checkpoint_is_the_sum"} <= set(ours)


def _middle() -> int:
    """An entry in the middle of the big account."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(id) FROM ledger_journalentry")
        return int(cursor.fetchone()[0]) + LINES // LINES_PER_ENTRY // 2


def _plain_sum(account_id: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT sum(amount_minor) FROM ledger_journalline WHERE account_id = %s", [account_id])
        return int(cursor.fetchone()[0])


def _bare_pass() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT count(*), sum(amount_minor) FROM ledger_journalline")


def _plan(at: Place, account_id: int) -> str:
    sql = statements._statement_sql(at)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}", statements._statement_parameters(account_id, at, 50))
        return "\n".join(line for (line,) in cursor.fetchall())
