"""The books refuse what is not a balanced, whole, once-posted entry; and refuse the owner too."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from django.db import DatabaseError, IntegrityError, transaction

from ledger.chart import CHART, CLEARING_ROLES, GUARDED_ROLES
from ledger.errors import AccountGuarded, EntryConflict
from ledger.services import open_account, post_entries
from ledger.types import EntryDraft, EntryRef, LineDraft
from tests.database import as_owner
from tests.ledger.books import Books, contents, door_call, nothing_changes, rows

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def other_currency(books: Books) -> EntryDraft:
    return books.draft(
        books.line(books.clearing, 5, currency="EUR"), books.line(books.commission, -5, currency="EUR")
    )


def two_currencies(books: Books) -> EntryDraft:
    """Adds up to zero over all, in neither currency."""
    with transaction.atomic():
        euro = open_account(merchant_id=books.merchant_id, role="commission", currency="EUR")
    return books.draft(books.line(books.clearing, 5), books.line(euro, -5, currency="EUR"))


def other_merchant(books: Books) -> EntryDraft:
    return books.draft(books.line(books.clearing, 5), books.line(Books().commission, -5))


def many_lines(books: Books, count: int) -> EntryDraft:
    lines = [books.line(books.commission, -1) for _ in range(count - 1)]
    return books.draft(books.line(books.clearing, count - 1), *lines)


BAD: dict[str, tuple[Callable[[Books], EntryDraft], str]] = {
    "unbalanced": (
        lambda b: b.draft(b.line(b.clearing, 5), b.line(b.commission, -4)),
        "does not balance",
    ),
    "balanced over two currencies only": (two_currencies, "does not balance"),
    "no line": (lambda b: b.draft(), "ledger_entry_lines"),
    "one line": (lambda b: b.draft(b.line(b.clearing, 5)), "ledger_entry_lines"),
    "1024 lines": (lambda b: many_lines(b, 1024), "ledger_entry_lines"),
    "zero line": (
        lambda b: b.draft(b.line(b.clearing, 5), b.line(b.commission, -5), b.line(b.tax, 0)),
        "ledger_line_not_zero",
    ),
    "currency not the account's": (other_currency, "ledger_line_account_fk"),
    "another merchant's account": (other_merchant, "ledger_line_account_fk"),
    "account that does not exist": (
        lambda b: b.draft(b.line(b.clearing, 5), b.line(2**40, -5)),
        "ledger_line_account_fk",
    ),
    "missing clearing key": (
        lambda b: b.draft(LineDraft(b.clearing, 5, "USD"), b.line(b.commission, -5)),
        "clearing key",
    ),
    "superfluous clearing key": (
        lambda b: b.draft(b.line(b.clearing, 5), b.line(b.commission, -5, key="x")),
        "clearing key",
    ),
    "correction of an entry that does not exist": (
        lambda b: b.sale(corrects=2**40),
        "ledger_entry_corrects_fk",
    ),
    "correction of another merchant's entry": (
        lambda b: b.sale(corrects=(lambda other: other.post(other.sale())[0].id)(Books())),
        "ledger_entry_corrects_fk",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_entry_is_refused_whole(books: Books, case: str) -> None:
    """F-L1, L10: with a good entry in the same batch, nothing of either is written."""
    build, says = BAD[case]
    bad = build(books)
    good = books.sale()
    with nothing_changes(), pytest.raises(IntegrityError, match=says), transaction.atomic():
        post_entries(drafts=[good, bad])


def test_the_largest_entry_is_taken(books: Books) -> None:
    """The limit is at 1024 lines, not below."""
    (ref,) = books.post(many_lines(books, 1023))
    assert rows("SELECT count(*) FROM ledger_journalline WHERE entry_id = %s", [ref.id]) == [(1023,)]


def test_a_wallet_backed_account_is_refused_by_the_plain_door(books: Books) -> None:
    draft, _ = books.move("clearing", "seller_available", 5)
    with nothing_changes(), pytest.raises(AccountGuarded), transaction.atomic():
        post_entries(drafts=[draft])


def test_an_amount_that_is_no_number_of_the_database_is_refused(books: Books) -> None:
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic():
        post_entries(drafts=[books.sale(2**63)])


# ------------------------------------------------------------------ keys


def test_same_key_same_content_is_the_same_entry(books: Books) -> None:
    """L8: again is not twice."""
    sale = books.sale(ref="r1")
    (first,) = books.post(sale)
    with nothing_changes():
        again = books.post(sale)
    assert first.is_new and again == [EntryRef(id=first.id, is_new=False)]


def test_old_and_new_entries_in_one_batch_keep_their_order(books: Books) -> None:
    old = books.sale(7, ref="r5")
    (first,) = books.post(old)
    refs = books.post(books.sale(ref="r9"), old, books.sale(ref="r1"))
    assert [ref.is_new for ref in refs] == [True, False, True]
    assert refs[1].id == first.id
    stored = rows("SELECT source_ref FROM ledger_journalentry WHERE id IN (%s, %s)", [refs[0].id, refs[2].id])
    assert {ref for (ref,) in stored} == {"r9", "r1"}


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "another"},
        {"minor": 101},
        {"effective_date": date(2026, 3, 2)},
        {"corrects": True},
        {"key": "another"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_same_key_other_content_is_a_conflict(books: Books, change: dict[str, Any]) -> None:
    """The whole batch goes, the good entry in it as well."""
    (base,) = books.post(books.sale())
    books.post(books.sale(ref="r1"))
    other = dict(change)
    minor, key = other.pop("minor", 100), other.pop("key", "k")
    if other.get("corrects"):
        other["corrects"] = base.id
    draft = books.draft(
        books.line(books.clearing, minor, key=key), books.line(books.commission, -minor), ref="r1", **other
    )
    with nothing_changes(), pytest.raises(EntryConflict), transaction.atomic():
        post_entries(drafts=[books.sale(), draft])


def test_the_same_key_belongs_to_each_merchant(books: Books) -> None:
    other = Books()
    assert [books.post(books.sale(ref="r"))[0].is_new, other.post(other.sale(ref="r"))[0].is_new] == [
        True,
        True,
    ]


# ------------------------------------------------------------------ spoiled arrays


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (7, [3], "takes all its lines|has no lines"),
        (7, [1], "ledger_entry_lines"),
        (14, [1, 2], "takes all its lines|does not balance|has no lines"),
        (14, [2, 2], "has no lines"),
        (15, [1, 1], "duplicate key"),
        (15, [1, 3], "takes all its lines|has no lines"),
        (15, [0, 1], "ledger_line_id_is_derived|has no lines"),
        (9, [None], "null value"),
    ],
)
def test_the_door_trusts_no_array(books: Books, column: int, value: list[Any], says: str) -> None:
    arrays = books.arrays(books.sale())
    arrays[column] = value
    with nothing_changes(), pytest.raises(DatabaseError, match=says):
        door_call("ledger_post", arrays)


# ------------------------------------------------------------------ as the owner


def owner_refused(sql: str, says: str, *params: Any) -> None:
    with nothing_changes(), pytest.raises(psycopg.errors.Error, match=says):
        as_owner(sql, params)


LINE = (
    "INSERT INTO ledger_journalline (id, merchant_id, entry_id, line_no, account_id, amount_minor, currency)"
    " SELECT entry_id * 1024 + n, merchant_id, entry_id, n, account_id, {amount}, currency"
    " FROM ledger_journalline, unnest(ARRAY[{numbers}]) AS n"
    " WHERE entry_id = %s AND clearing_key IS NULL"
)


def test_a_second_balanced_pair_joins_no_old_entry(books: Books) -> None:
    (ref,) = books.post(books.sale())
    pair = LINE.format(amount="CASE n WHEN 3 THEN 1 ELSE -1 END", numbers="3, 4")
    owner_refused(pair, "takes all its lines at once", ref.id)


def test_a_single_line_joins_no_old_entry(books: Books) -> None:
    (ref,) = books.post(books.sale())
    owner_refused(LINE.format(amount="1", numbers="3"), "does not balance", ref.id)


def test_a_header_without_lines_is_refused(books: Books) -> None:
    (ref,) = books.post(books.sale())
    owner_refused(
        "INSERT INTO ledger_journalentry SELECT nextval('ledger_journalentry_seq'), merchant_id, kind,"
        " source, 'hollow', leg, effective_date, recorded_at, line_count, corrects, digest"
        " FROM ledger_journalentry"
        " WHERE id = %s",
        "has no lines",
        ref.id,
    )


@pytest.mark.parametrize(
    "table",
    [
        "ledger_account",
        "ledger_journalentry",
        "ledger_journalline",
        "wallet_walletaccount",
        "wallet_walletoperation",
    ],
)
@pytest.mark.parametrize(
    "verb", ["UPDATE {} SET merchant_id = merchant_id", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_even_the_owner_does_not_rewrite(books: Books, table: str, verb: str) -> None:
    books.fund(100)
    owner_refused(verb.format(table), "is append-only")


def test_an_account_is_there_once(books: Books) -> None:
    """The owner and provider that are absent count as equal."""
    owner_refused(
        "INSERT INTO ledger_account (merchant_id, role, owner, provider, currency, guarded, clearing)"
        " SELECT merchant_id, role, owner, provider, currency, guarded, clearing FROM ledger_account"
        " WHERE id = %s",
        "ledger_account_once",
        books.commission,
    )


def test_the_database_knows_the_chart(books: Books) -> None:
    """guarded and clearing follow from the role, in Python and in PostgreSQL alike."""
    insert = (
        "INSERT INTO ledger_account (merchant_id, role, owner, currency, guarded, clearing)"
        " VALUES (%s, %s, %s, 'USD', %s, %s)"
    )
    for role in CHART:
        guarded, clearing = role in GUARDED_ROLES, role in CLEARING_ROLES
        as_owner(insert, [books.merchant_id, role, uuid4(), guarded, clearing])
        for wrong in ((not guarded, clearing), (guarded, not clearing)):
            with pytest.raises(psycopg.errors.CheckViolation):
                as_owner(insert, [books.merchant_id, role, uuid4(), *wrong])


def test_the_helper_sees_a_change(books: Books) -> None:
    """The control of `nothing_changes`."""
    before = contents()
    with pytest.raises(AssertionError), nothing_changes():
        books.fund(100)
    assert contents() != before
