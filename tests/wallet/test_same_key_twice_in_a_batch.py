"""F-C3: an entry that a batch brings twice moves its wallet once."""

from dataclasses import replace

import pytest
from django.db import transaction

from ledger.errors import EntryConflict
from tests.ledger.books import Books, nothing_changes
from wallet.services import post

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def test_the_wallet_moves_once(books: Books) -> None:
    draft, moves = books.move("clearing", "seller_available", 100)
    again = [replace(move, entry=2) for move in moves]
    with transaction.atomic():
        first, second = post(drafts=[draft, draft], moves=[*moves, *again])
    assert (first.is_new, second.is_new, first.id == second.id) == (True, False, True)
    assert books.wallet()["available"] == 100


def test_other_content_under_the_same_key_moves_nothing(books: Books) -> None:
    draft, moves = books.move("clearing", "seller_available", 100, ref="r")
    other, other_moves = books.move("clearing", "seller_available", 101, ref="r")
    again = [replace(move, entry=2) for move in other_moves]
    with nothing_changes(), pytest.raises(EntryConflict), transaction.atomic():
        post(drafts=[draft, other], moves=[*moves, *again])
