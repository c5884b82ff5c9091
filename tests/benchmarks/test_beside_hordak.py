"""Posting beside django-hordak and beside raw SQL, in turns in one run.

`make bench ARGS="-k hordak"`. Every contender writes balanced entries of three lines on one server with fsync
on. Only the ratios are held: the rates depend on the machine. What each of them checks is not the same, and
docs/operating/performance.md says what.
"""

import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, transaction

from core.ids import uuid7
from ledger.services import post_entries
from ledger.wire import ENTRY_PLACEHOLDERS, call, columns
from tests.benchmarks.conftest import table
from tests.benchmarks.hordak import Hordak, hordak
from tests.benchmarks.test_posting import RAW_SQL, plain_drafts, timed
from tests.database import owner_connection
from tests.ledger.books import Books
from wallet.services import post
from wallet.types import WalletMove

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SINGLES = 60  # entries, one commit each; times the rounds
BATCH = 500
# Fewer than the pool of connections holds, because the test has one as well.
CLIENTS = int(os.environ.get("BENCH_CLIENTS", "6"))
SPENDINGS = 25  # per client

# Held in every run, with room for a noisy machine.
SINGLE_OF_RAW = 0.5
FASTER_THAN_HORDAK = 1.3


@pytest.fixture
def other() -> Iterator[Hordak]:
    """The contender."""
    with hordak() as process:
        yield process


def show(title: str, rates: dict[str, list[float]]) -> dict[str, float]:
    """Print the best and the middle of the rounds; return the middle."""
    print(f"\n{title:<44} {'median':>9} {'best':>9}")
    for name, found in rates.items():
        print(f"    {name:<40} {statistics.median(found):>9,.0f} {max(found):>9,.0f}")
    return {name: statistics.median(found) for name, found in rates.items()}


def test_single_entries_beside_hordak(transactional_db: None, other: Hordak) -> None:
    """One entry per commit, entry by entry in turns: at least half of raw, and well ahead of hordak."""
    books, size = Books(), SINGLES * ROUNDS
    spent: dict[str, list[float]] = {"ledger, in a service": [], "raw INSERT": [], "django-hordak": []}
    other.ask("single", count=10)
    with owner_connection() as owner:
        for ours, theirs in zip(plain_drafts(books, size), plain_drafts(books, size), strict=True):
            spent["ledger, in a service"].append(timed(lambda draft=ours: _post_all([draft])))
            spent["raw INSERT"].append(timed(lambda draft=theirs: _raw(owner, [draft])))
            spent["django-hordak"] += other.ask("single", count=1)
    rates = {name: [1 / each for each in seconds] for name, seconds in spent.items()}
    rate = show("entries/s, one per commit, one client", rates)
    assert rate["ledger, in a service"] >= SINGLE_OF_RAW * rate["raw INSERT"]
    assert rate["ledger, in a service"] >= FASTER_THAN_HORDAK * rate["django-hordak"]


def test_where_a_single_entry_goes(transactional_db: None) -> None:
    """The parts of one posting in a service, in turns with those of the raw INSERT."""
    books, size = Books(), SINGLES * ROUNDS
    spent: list[tuple[float, ...]] = []
    with owner_connection() as owner:
        for ours, theirs in zip(plain_drafts(books, size), plain_drafts(books, size), strict=True):
            arrays = columns([theirs])
            insert = timed(lambda arrays=arrays: owner.execute(RAW_SQL, arrays, prepare=True))
            spent.append((*_in_parts(ours), insert, timed(owner.commit)))
    names = ("arrays and digest", "ledger_post", "COMMIT", "raw INSERT", "COMMIT after it")
    found: dict[str, object] = {}
    for name, part in zip(names, zip(*spent, strict=True), strict=True):
        found[name] = f"{statistics.median(part) * 1000:.2f}, least {min(part) * 1000:.2f}"
    table(f"ms of one entry of three lines, the median of {size}", found)


def test_batches_beside_hordak(transactional_db: None, other: Hordak) -> None:
    """Many entries per commit."""
    books = Books()
    rates: dict[str, list[float]] = {"ledger": [], "raw INSERT": [], "django-hordak, bulk_create": []}
    with owner_connection() as owner:
        for turn in range(ROUNDS + 1):
            drafts, raw_drafts = plain_drafts(books, BATCH), plain_drafts(books, BATCH)
            seconds = (
                timed(lambda drafts=drafts: _post_all(drafts)),
                timed(lambda drafts=raw_drafts: _raw(owner, drafts)),
                other.ask("batch", size=BATCH, count=1)[0],
            )
            if turn:
                for name, spent in zip(rates, seconds, strict=True):
                    rates[name].append(BATCH / spent)
    rate = show(f"entries/s, {BATCH} per commit, one client", rates)
    assert rate["ledger"] >= FASTER_THAN_HORDAK * rate["django-hordak, bulk_create"]


def test_one_wallet_contended_beside_hordak(transactional_db: None, other: Hordak) -> None:
    """Many clients spend from one wallet; nobody overdraws it, and the line at its lock moves quickly."""
    books = Books()
    rates: dict[str, list[float]] = {"wallet": [], "raw SQL, same tables": [], "django-hordak, locked": []}
    available = books.account("seller_available")
    (wallet_id,) = _row("SELECT wallet_id FROM wallet_walletaccount WHERE account_id = %s", available)
    for _ in range(ROUNDS):
        books.fund(2 * CLIENTS * SPENDINGS)
        seconds = (
            _crowd(lambda: _spend(books, available)),
            _raw_crowd(books, available, wallet_id),
            other.ask("contended", clients=CLIENTS, count=SPENDINGS),
        )
        for name, spent in zip(rates, seconds, strict=True):
            rates[name].append(CLIENTS * SPENDINGS / spent)
    rate = show(f"spendings/s from one wallet, {CLIENTS} clients", rates)
    assert books.wallet()["available"] == 0
    assert rate["wallet"] >= FASTER_THAN_HORDAK * rate["django-hordak, locked"]


def _in_parts(draft: Any) -> tuple[float, float, float]:
    """Post one entry; the seconds of making the arrays, of the statement, and of the commit."""
    with transaction.atomic():
        began = time.perf_counter()
        arrays = columns([draft])
        made = time.perf_counter()
        call("ledger_post", ENTRY_PLACEHOLDERS, arrays)
        posted = time.perf_counter()
    return made - began, posted - made, time.perf_counter() - posted


def _post_all(drafts: list[Any]) -> None:
    with transaction.atomic():
        post_entries(drafts=drafts)


def _raw(owner: Any, drafts: list[Any]) -> None:
    owner.execute(RAW_SQL, columns(drafts), prepare=True)
    owner.commit()


def _spend(books: Books, available: int) -> None:
    draft = books.draft(books.line(available, 1), books.line(books.clearing, -1), ref=uuid7().hex)
    with transaction.atomic():
        post(drafts=[draft], moves=[WalletMove(1, 1, available, -1)])


def _crowd(spend: Callable[[], object]) -> float:
    """Let the clients spend at once; the seconds until the last is done."""
    start, failures = threading.Barrier(CLIENTS + 1), []

    def client() -> None:
        try:
            connection.ensure_connection()
            start.wait(timeout=30)
            for _ in range(SPENDINGS):
                spend()
        except Exception as error:
            failures.append(error)
            start.abort()
        finally:
            connection.close()

    threads = [threading.Thread(target=client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    with suppress(threading.BrokenBarrierError):
        start.wait(timeout=30)
    seconds = timed(lambda: [thread.join() for thread in threads])
    assert not failures, failures[0]
    return seconds


def _raw_crowd(books: Books, available: int, wallet_id: UUID) -> float:
    """The same rows by three plain statements: lock and lower the balance, the entry, the operation."""
    mine = threading.local()
    opened: list[Any] = []

    def spend() -> None:
        if not hasattr(mine, "owner"):
            mine.owner = owner_connection()
            opened.append(mine.owner)
        draft = books.draft(books.line(available, 1), books.line(books.clearing, -1), ref=uuid7().hex)
        (after,) = mine.owner.execute(
            "UPDATE wallet_wallet SET available_minor = available_minor - 1 WHERE id = %s"
            " RETURNING available_minor",
            [wallet_id],
        ).fetchone()
        mine.owner.execute(RAW_SQL, columns([draft]), prepare=True)
        mine.owner.execute(
            "INSERT INTO wallet_walletoperation (merchant_id, wallet_id, bucket, role, delta_minor,"
            " balance_after_minor, line_id, recorded_at) SELECT merchant_id, %s, 'available',"
            " 'seller_available', -1, %s, id * 1024 + 1, now() FROM ledger_journalentry"
            " WHERE merchant_id = %s AND source = 'test' AND source_ref = %s",
            [wallet_id, after, books.merchant_id, draft.source_ref],
        )
        mine.owner.commit()

    try:
        return _crowd(spend)
    finally:
        for each in opened:
            each.close()


def _row(sql: str, *parameters: Any) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        row: tuple[Any, ...] = cursor.fetchone()
    return row
