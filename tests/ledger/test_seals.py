"""Blocks of entries below the fence: nothing is left out, nothing is sealed too early (L6, L15, L16)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction

from core import clock
from ledger.models import JournalEntry, JournalLine
from ledger.selectors import chain_root, sealing_lag
from ledger.services import advance_fence, seal_entries
from ledger.tasks import daily_root, keep
from ledger.wire import ENTRY_PLACEHOLDERS
from tests.database import as_owner
from tests.ledger.books import Books, rows, run
from tests.ledger.sealing import blocks, seal_all
from tests.racing import race
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
GENESIS = "00" * 32


def test_a_block_holds_what_is_new_and_follows_the_last(books: Books) -> None:
    # Numbers within a batch follow the keys.
    first = sorted(ref.id for ref in books.post(books.sale(), books.sale()))
    assert seal_all() == 2
    (third,) = books.post(books.sale())
    assert seal_all() == 1
    one, two = blocks()
    assert one[:6] == (1, first[0], first[1], 2, 4, GENESIS)
    assert two[:6] == (2, third.id, third.id, 1, 2, one[6])
    assert seal_all() == 0
    assert len(blocks()) == 2


def test_a_slow_writer_is_never_sealed_over(books: Books) -> None:
    """F-E: an entry with a smaller id that commits late is sealed before a larger one, or with it."""
    login = connection.settings_dict
    slow: psycopg.Connection[Any] = psycopg.connect(
        dbname=login["NAME"],
        user=login["USER"],
        password=login["PASSWORD"],
        host=login["HOST"],
        port=login["PORT"],
    )
    with slow:
        (late,) = slow.execute(
            f"SELECT id FROM ledger_post({ENTRY_PLACEHOLDERS})", books.arrays(books.sale(7))
        ).fetchone() or (0,)
        (early,) = books.post(books.sale())
        assert late < early.id
        for _ in range(4):
            advance_fence()
            seal_entries()
        assert early.id not in {block[2] for block in blocks()}
        assert sealing_lag().waits_for == "fence"
        slow.commit()
    slow.close()
    assert seal_all() == 2
    assert blocks()[-1][1:4] == (late, early.id, 2)


def test_two_sealers_make_one_chain(books: Books) -> None:
    for _ in range(4):
        books.post(*[books.sale() for _ in range(10)])
        eventually(lambda: advance_fence() >= rows("SELECT max(id) FROM ledger_journalentry")[0][0])
        assert sum(race([seal_entries] * 4)) == 10
    found = blocks()
    assert [block[0] for block in found] == list(range(1, len(found) + 1))
    assert [block[5] for block in found] == [GENESIS, *(block[6] for block in found[:-1])]
    assert sum(block[3] for block in found) == 40


def test_a_long_backlog_becomes_several_blocks(books: Books) -> None:
    """A block ends at 5000 entries, and begins no entry after its 30 000th line."""
    wide = [books.line(books.clearing, 1000)] + [books.line(books.commission, -1) for _ in range(1000)]
    books.post(*[books.draft(*wide) for _ in range(32)])
    assert seal_all() == 32
    assert [block[3] for block in blocks()] == [30, 2]


def test_the_application_neither_writes_nor_changes_a_seal(books: Books) -> None:
    books.post(books.sale())
    seal_all()
    for sql in (
        "INSERT INTO ledger_seal SELECT * FROM ledger_seal",
        "UPDATE ledger_seal SET number = number",
        "DELETE FROM ledger_seal",
        "TRUNCATE ledger_seal",
    ):
        with pytest.raises(DatabaseError, match="permission denied"):
            run(sql)
        with pytest.raises(psycopg.Error, match=r"append-only|violates"):
            as_owner(sql)


def test_every_column_is_sealed_or_follows_from_what_is() -> None:
    """A column that is added later must be put under the seal, or be named here with the reason."""
    sealed = {
        JournalEntry: {
            *("id", "merchant_id", "kind", "source", "source_ref", "leg", "effective_date", "recorded_at"),
            *("line_count", "corrects", "digest", "group_id", "group_size", "original_date", "facts"),
        },
        JournalLine: {
            *("id", "merchant_id", "entry_id", "line_no", "account_id", "amount_minor", "currency"),
            "clearing_key",
        },
    }
    for model, columns in sealed.items():
        assert {field.column for field in model._meta.local_fields} == columns


def test_the_lag_says_who_is_waited_for(books: Books) -> None:
    assert sealing_lag().waits_for == "nothing"
    (ref,) = books.post(books.sale())
    eventually(lambda: advance_fence() >= ref.id)
    lag = sealing_lag()
    assert (lag.waits_for, lag.sealed_entry) == ("sealer", 0)
    assert lag.safe_entry >= ref.id
    assert lag.seconds > 0
    keep()
    assert (sealing_lag().waits_for, sealing_lag().seconds) == ("nothing", 0)


def test_the_root_of_a_day_is_its_last_block(books: Books) -> None:
    assert chain_root() is None
    books.post(books.sale())
    seal_all()
    books.post(books.sale())
    seal_all()
    today, newest = datetime.now(UTC).date(), blocks()[-1]
    root = chain_root(day=today)
    assert root is not None
    assert (root.block, root.last_entry, root.hash) == (2, newest[2], newest[6])
    assert chain_root() == root
    assert chain_root(day=today - timedelta(days=1)) is None


def test_the_daily_root_is_written_down_once(books: Books, hooks: Any) -> None:
    books.post(books.sale())
    seal_all()
    clock.move(seconds=86_400)
    daily_root()
    daily_root()
    ((summary, attempts),) = rows("SELECT summary, attempts FROM core_jobrun WHERE job = 'ledger.daily_root'")
    clock.reset()
    assert attempts == 1
    assert f'"hash": "{blocks()[0][6]}"' in str(summary).replace("'", '"')


def test_sealing_wants_no_transaction(books: Books) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        seal_entries()
