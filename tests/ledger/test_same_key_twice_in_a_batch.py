"""F-C3, L8: one key is one entry, also when a single batch brings it twice."""

import pytest
from django.db import transaction

from ledger.errors import EntryConflict
from ledger.selectors import account_lines, balance_minor
from ledger.services import post_entries
from tests.ledger.plain_books import open_books

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def test_the_second_of_a_batch_is_not_new() -> None:
    books = open_books()
    batch = [books.draft("b"), books.draft("a"), books.draft("b")]
    with transaction.atomic():
        first, other, second = post_entries(drafts=batch)
    assert (first.is_new, other.is_new, second.is_new) == (True, True, False)
    assert first.id == second.id != other.id
    assert [line.amount_minor for line in account_lines(account_id=books.commission)] == [100, 100]


def test_the_second_of_a_batch_with_other_content_refuses_the_batch() -> None:
    """L10: and a refused batch leaves nothing behind."""
    books = open_books()
    with pytest.raises(EntryConflict), transaction.atomic():
        post_entries(drafts=[books.draft("a"), books.draft("b", 100), books.draft("b", 101)])
    assert balance_minor(account_id=books.commission) == 0


def test_many_twice_in_one_batch_are_posted_once_each() -> None:
    books = open_books()
    batch = [books.draft(str(number % 200), number % 200 + 1) for number in range(400)]
    with transaction.atomic():
        refs = post_entries(drafts=batch)
    assert [ref.is_new for ref in refs] == [True] * 200 + [False] * 200
    assert [ref.id for ref in refs[:200]] == [ref.id for ref in refs[200:]]
    assert balance_minor(account_id=books.commission) == sum(range(1, 201))
