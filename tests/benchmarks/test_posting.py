"""How fast the books take entries, beside a plain INSERT … SELECT under the same guards in the same run.

`make bench ARGS="-k posting"`. Entries have three lines and share one clearing account, which is the worst
case for anything that would lock an account.
"""

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
from django.db import connection, transaction

from core.ids import uuid7
from ledger.services import post_entries
from ledger.types import EntryDraft
from ledger.wire import ENTRY_PLACEHOLDERS, columns
from tests.benchmarks.conftest import SLACK
from tests.database import owner_connection
from tests.ledger.books import Books
from wallet.services import post
from wallet.types import WalletMove

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

FLOOR = 15_000  # entries per second in batches, on two cores with fsync on
RATIO = 0.70
SIZES = {1000: 9, 100: 30, 1: 150}  # batch: how many of them
SELLERS = 100
CLIENTS = 2

RAW = """
    WITH header AS MATERIALIZED (
        SELECT nextval('ledger_journalentry_seq') AS id, input.* FROM unnest({entry}) WITH ORDINALITY
            AS input(merchant, kind, source, ref, leg, date, recorded, line_count, corrects, digest, group_id,
                group_size, original, facts, ord)
    ), entries AS (
        INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,
            recorded_at, line_count, corrects, digest, group_id, group_size, original_date, facts)
        SELECT id, merchant, kind, source, ref, leg, date, recorded, line_count, corrects, digest, group_id,
            group_size, original, facts::jsonb
        FROM header
    )
    INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor, currency,
        clearing_key)
    SELECT header.id * 1024 + line.no, header.merchant, header.id, line.no, line.account, line.amount,
        line.currency, line.key
    FROM unnest({line}) AS line(entry, no, account, currency, amount, key)
    JOIN header ON header.ord = line.entry
"""
_PLACES = ENTRY_PLACEHOLDERS.split(", ")
RAW_SQL = RAW.format(entry=", ".join(_PLACES[:14]), line=", ".join(_PLACES[14:]))


@dataclass
class Runs:
    """Seconds per batch, of each contender."""

    plain: list[float] = field(default_factory=list)
    wallet: list[float] = field(default_factory=list)
    raw: list[float] = field(default_factory=list)


def plain_drafts(books: Books, size: int) -> list[EntryDraft]:
    return [
        books.draft(
            books.line(books.clearing, 100, key=uuid7().hex),
            books.line(books.commission, -80),
            books.line(books.tax, -20),
            ref=uuid7().hex,
        )
        for _ in range(size)
    ]


def wallet_drafts(
    books: Books, accounts: Sequence[int], size: int
) -> tuple[list[EntryDraft], list[WalletMove]]:
    drafts, moves = [], []
    for number in range(size):
        account = accounts[number % len(accounts)]
        drafts.append(
            books.draft(
                books.line(books.clearing, 100, key=uuid7().hex),
                books.line(account, -80),
                books.line(books.commission, -20),
                ref=uuid7().hex,
            )
        )
        moves.append(WalletMove(number + 1, 2, account, 80))
    return drafts, moves


def timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def measure(books: Books, accounts: Sequence[int], size: int, count: int) -> Runs:
    """The three in turn, batch by batch, so that a noisy minute hits all of them."""
    runs = Runs()

    def plain(drafts: list[EntryDraft]) -> None:
        with transaction.atomic():
            post_entries(drafts=drafts)

    def wallets(drafts: list[EntryDraft], moves: list[WalletMove]) -> None:
        with transaction.atomic():
            post(drafts=drafts, moves=moves)

    with owner_connection() as owner:

        def raw(drafts: list[EntryDraft]) -> None:
            owner.execute(RAW_SQL, columns(drafts), prepare=True)
            owner.commit()

        for turn in range(count + 2):
            drafts, raw_drafts = plain_drafts(books, size), plain_drafts(books, size)
            pair = wallet_drafts(books, accounts, size)
            seconds = (
                timed(lambda mine=drafts: plain(mine)),
                timed(lambda mine=raw_drafts: raw(mine)),
                timed(lambda mine=pair: wallets(*mine)),
            )
            if turn >= 2:  # the first two plan and warm up
                for kept, taken in zip((runs.plain, runs.raw, runs.wallet), seconds, strict=True):
                    kept.append(taken)
    return runs


def together(books: Books, size: int, count: int) -> tuple[float, float]:
    """Entries per second of several clients at once, one for each core: through the door, and raw."""

    def door(batches: list[list[EntryDraft]], start: threading.Barrier) -> None:
        connection.ensure_connection()
        start.wait()
        for drafts in batches:
            with transaction.atomic():
                post_entries(drafts=drafts)
        connection.close()

    def raw(batches: list[list[EntryDraft]], start: threading.Barrier) -> None:
        with owner_connection() as owner:
            start.wait()
            for drafts in batches:
                owner.execute(RAW_SQL, columns(drafts), prepare=True)
                owner.commit()

    rates = []
    for work in (door, raw):
        start = threading.Barrier(CLIENTS + 1)
        shares = [[plain_drafts(books, size) for _ in range(count)] for _ in range(CLIENTS)]
        clients = [threading.Thread(target=work, args=(share, start)) for share in shares]
        for client in clients:
            client.start()
        start.wait()
        seconds = timed(lambda waiting=clients: [client.join() for client in waiting])
        rates.append(CLIENTS * count * size / seconds)
    return rates[0], rates[1]


def test_posting_speed(transactional_db: None) -> None:
    """At least 70 % of the plain INSERT in batches of a thousand; the floor as far as BENCH_SLACK lets it."""
    books = Books()
    accounts = [books.account("seller_pending", seller=uuid4()) for _ in range(SELLERS)]
    print(f"\nentries/s, three lines each; floor for batches {FLOOR:,}")
    print(f"{'batch':>6} {'ledger_post':>12} {'wallet_post':>12} {'raw INSERT':>12} {'ledger/raw':>11}")
    ratios, rates = {}, {}
    for size, count in SIZES.items():
        runs = measure(books, accounts, size, count)
        rate = {name: size / statistics.median(seconds) for name, seconds in vars(runs).items()}
        ratios[size], rates[size] = rate["plain"] / rate["raw"], rate["plain"]
        print(
            f"{size:>6} {rate['plain']:>12,.0f} {rate['wallet']:>12,.0f} {rate['raw']:>12,.0f}"
            f" {ratios[size]:>11.0%}"
        )
    plain, raw = together(books, 1000, 10)
    print(f"{CLIENTS} x 1000 at once: ledger_post {plain:,.0f}, raw INSERT {raw:,.0f}, {plain / raw:.0%}")
    assert ratios[1000] >= RATIO
    assert max(plain, rates[1000]) * SLACK >= FLOOR
