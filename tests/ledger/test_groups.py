"""Linked entries: all or none, in one statement, and the same group again is a replay (L11)."""

import threading
from dataclasses import replace
from uuid import uuid4

import psycopg
import pytest
from django.db import IntegrityError, transaction

from ledger.errors import EntryConflict, GroupNotWhole
from ledger.selectors import get_entry
from ledger.services import post_entries
from ledger.templates.groups import linked
from ledger.types import EntryDraft, EntryRef
from tests.database import as_owner
from tests.ledger.books import Books, nothing_changes, rows
from tests.racing import race
from wallet.services import post

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def group(books: Books, *minor: int) -> tuple[EntryDraft, ...]:
    return linked(drafts=[books.sale(each) for each in minor])


def test_a_group_is_posted_and_shown_whole(books: Books) -> None:
    drafts = group(books, 1, 2, 3)
    refs = books.post(books.sale(), *drafts, books.sale())
    entry = get_entry(merchant_id=books.merchant_id, entry_id=refs[1].id)
    assert entry.group_id == drafts[0].group_id
    assert set(entry.group) == {ref.id for ref in refs[1:4]}
    assert get_entry(merchant_id=books.merchant_id, entry_id=refs[0].id).group == ()


def test_entries_on_a_wallet_may_be_in_a_group(books: Books) -> None:
    """C1 with C2: what the provider takes, and the hold on the seller's share."""
    books.fund(100)
    hold, moves = books.move("seller_available", "seller_dispute_hold", 90)
    drafts = linked(drafts=[hold, books.sale(100)])
    with transaction.atomic():
        refs = post(drafts=drafts, moves=moves)
    assert [ref.is_new for ref in refs] == [True, True]
    assert books.wallet()["held"] == 90


def test_the_same_group_again_is_a_replay(books: Books) -> None:
    drafts = group(books, 1, 2, 3)
    first = books.post(*drafts)
    with nothing_changes():
        assert books.post(*drafts) == [EntryRef(ref.id, is_new=False) for ref in first]
        assert books.post(drafts[2], drafts[0]) == [
            EntryRef(first[2].id, is_new=False),
            EntryRef(first[0].id, is_new=False),
        ]


def test_a_member_twice_in_the_batch_counts_once(books: Books) -> None:
    drafts = group(books, 1, 2)
    assert [ref.is_new for ref in books.post(*drafts, drafts[0])] == [True, True, False]


def test_none_joins_a_group_later(books: Books) -> None:
    drafts = group(books, 1, 2)
    books.post(*drafts)
    late = replace(books.sale(3), group_id=drafts[0].group_id)
    for batch in ([late], [drafts[0], late], [*drafts, late]):
        with nothing_changes(), pytest.raises(GroupNotWhole), transaction.atomic():
            post_entries(drafts=batch)


def test_none_joins_in_a_second_call_of_the_same_transaction(books: Books) -> None:
    first, second = group(books, 1, 2)
    with nothing_changes(), pytest.raises(GroupNotWhole), transaction.atomic():
        post_entries(drafts=[first])
        post_entries(drafts=[second])


def test_a_member_that_is_refused_takes_the_others_with_it(books: Books) -> None:
    good = books.sale(5)
    bad = books.draft(books.line(books.clearing, 5), books.line(books.commission, -4))
    with nothing_changes(), pytest.raises(IntegrityError), transaction.atomic():
        post_entries(drafts=linked(drafts=[good, bad]))


def test_the_group_is_part_of_the_content(books: Books) -> None:
    """An entry that was posted alone is not the same as one of a group, nor one of another group."""
    sale = books.sale(ref="r1")
    books.post(sale)
    with nothing_changes(), pytest.raises(EntryConflict), transaction.atomic():
        post_entries(drafts=linked(drafts=[sale]))
    with nothing_changes(), pytest.raises(GroupNotWhole), transaction.atomic():
        post_entries(drafts=linked(drafts=[sale, books.sale()]))
    drafts = group(books, 1, 2)
    books.post(*drafts)
    with nothing_changes(), pytest.raises(EntryConflict), transaction.atomic():
        post_entries(drafts=[replace(draft, group_id=uuid4()) for draft in drafts])


def test_the_group_follows_from_the_keys(books: Books) -> None:
    """Without a memory of its own a caller names the same group again, in any order."""
    sales = [books.sale(1), books.sale(2)]
    assert linked(drafts=sales)[0].group_id == linked(drafts=sales[::-1])[0].group_id
    assert linked(drafts=sales)[0].group_id != linked(drafts=sales[:1])[0].group_id
    with pytest.raises(ValueError, match="one merchant"):
        linked(drafts=[sales[0], replace(sales[1], merchant_id=uuid4())])


def test_groups_belong_to_their_merchant(books: Books) -> None:
    drafts, other = group(books, 1, 2), Books()
    books.post(*drafts)
    other.post(*(replace(other.sale(1), group_id=draft.group_id) for draft in drafts))


def test_two_that_begin_one_group_at_once(books: Books) -> None:
    """Different members under one id: neither sees the other's rows, so they meet at the lock."""
    for _ in range(10):
        group_id = uuid4()
        batches = [[replace(books.sale(1), group_id=group_id) for _ in range(2)] for _ in range(3)]
        answers = race([lambda batch=batch: books.post(*batch) for batch in batches])
        assert sorted(type(each).__name__ for each in answers) == ["GroupNotWhole"] * 2 + ["list"]


def test_the_same_group_by_several_at_once_is_one(books: Books) -> None:
    for _ in range(10):
        drafts = group(books, 1, 2, 3)
        answers = race([lambda batch=batch: books.post(*batch) for batch in (drafts, drafts[::-1], drafts)])
        assert sorted(sum(ref.is_new for ref in refs) for refs in answers) == [0, 0, 3]


def test_control_without_the_lock_two_groups_become_one(books: Books) -> None:
    """Each counts its own two members before the other commits, and finds the group whole."""
    as_owner("CREATE TABLE scratch_member (group_id uuid, group_size int)")
    try:
        as_owner("GRANT SELECT, INSERT ON scratch_member TO quittance_app")
        group_id, both_have_counted = uuid4(), threading.Barrier(2)

        def client() -> bool:
            with transaction.atomic():
                rows("INSERT INTO scratch_member VALUES (%s, 2), (%s, 2) RETURNING 1", [group_id, group_id])
                counted = rows("SELECT count(*) FROM scratch_member WHERE group_id = %s", [group_id])
                both_have_counted.wait(10)
                return counted == [(2,)]

        assert race([client, client]) == [True, True]
        assert rows("SELECT count(*) FROM scratch_member WHERE group_id = %s", [group_id]) == [(4,)]
    finally:
        as_owner("DROP TABLE scratch_member")


@pytest.mark.parametrize(("group_id", "size"), [("gen_random_uuid()", "NULL"), ("NULL", "2")])
def test_the_owner_leaves_out_neither_group_nor_size(books: Books, group_id: str, size: str) -> None:
    (sale,) = books.post(books.sale())
    with nothing_changes(), pytest.raises(psycopg.errors.CheckViolation, match="group_sized"):
        as_owner(
            "INSERT INTO ledger_journalentry (id, merchant_id, kind, source, source_ref, leg, effective_date,"
            f" recorded_at, line_count, digest, group_id, group_size) SELECT -id, merchant_id, kind, source,"
            f" 'x', leg, effective_date, recorded_at, line_count, digest, {group_id}, {size}"
            " FROM ledger_journalentry WHERE id = %s",
            [sale.id],
        )
