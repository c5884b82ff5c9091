"""Checkpoints over a long backlog, and after a restore: each portion is exact, and none is skipped."""

import pytest
from django.db import connection, transaction

from core.audits import run_audits
from ledger.models import AccountCheckpoint, Fence
from ledger.selectors import account_lines, balance_minor
from ledger.services import advance_checkpoints, advance_fence, post_entries
from tests.database import as_owner
from tests.ledger.plain_books import PlainBooks, open_books
from tests.waiting import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]

PORTION = 10_000


def post_many(books: PlainBooks, numbers: range) -> None:
    with transaction.atomic():
        post_entries(drafts=[books.draft(str(number), number) for number in numbers])


def last_entry(books: PlainBooks) -> int:
    return account_lines(account_id=books.commission, limit=20_000)[-1].entry_id


def fence_stands_at(entry_id: int) -> None:
    """Nothing is under way here, so this is where the fence would come to by itself.

    Waiting for it would mean waiting for every transaction of the whole server.
    """
    as_owner("UPDATE ledger_fence SET safe_entry = %s, next_entry = NULL, next_xid = NULL", [entry_id])


def portion() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT ledger_advance_checkpoints()")
        return int(cursor.fetchone()[0])


def test_a_backlog_is_folded_in_portions() -> None:
    """L7: at each step the checkpoint is the sum up to its entry, and the balance is right throughout."""
    books = open_books()
    for start in range(1, PORTION + 51, 2010):
        post_many(books, range(start, start + 2010))
    total = balance_minor(account_id=books.commission)
    last = last_entry(books)
    fence_stands_at(last)
    assert portion() == 2
    assert Fence.objects.get().folded_entry < last
    assert run_audits(names=["checkpoint_is_the_sum"], store=False).is_clean
    assert balance_minor(account_id=books.commission) == total
    assert advance_checkpoints() == 2
    mark = AccountCheckpoint.objects.get(account_id=books.commission)
    assert (mark.balance_minor, mark.entry_id) == (total, last)
    assert portion() == 0
    assert balance_minor(account_id=books.commission) == total


def test_numbers_that_were_never_used_do_not_stop_the_checkpoints(owner_sql) -> None:
    """Rolled back batches leave gaps wider than a portion."""
    books = open_books()
    post_many(books, range(1, 11))
    owner_sql("SELECT setval('ledger_journalentry_seq', nextval('ledger_journalentry_seq') + 50000)")
    post_many(books, range(11, 21))
    fence_stands_at(last_entry(books))
    advance_checkpoints()
    assert AccountCheckpoint.objects.get(account_id=books.commission).balance_minor == sum(range(1, 21))


def test_the_fence_moves_again_after_a_restore(owner_sql) -> None:
    """A dump may hold a transaction id that the new server reaches only years later."""
    books = open_books()
    post_many(books, range(1, 11))
    last = last_entry(books)
    owner_sql(
        "UPDATE ledger_fence SET next_entry = safe_entry, next_xid ="
        " ((pg_current_xact_id()::text)::bigint + 1000000000)::text::xid8"
    )
    # It waits for every transaction of the server, other databases included.
    eventually(lambda: advance_fence() >= last, within=60, what="the fence passes what is committed")


def test_an_account_is_read_page_by_page() -> None:
    books = open_books()
    post_many(books, range(1, 8))
    seen, after = [], 0
    while page := account_lines(account_id=books.commission, after_line=after, limit=3):
        seen += [line.amount_minor for line in page]
        after = page[-1].id
    assert seen == [1, 2, 3, 4, 5, 6, 7]
