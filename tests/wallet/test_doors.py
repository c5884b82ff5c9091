"""Wallet and books move together or not at all (L3, L4)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from ledger.errors import EntryConflict, EntryUnbalanced
from ledger.types import EntryDraft
from tests.ledger.books import Books, door_call, nothing_changes, rows
from wallet.errors import InsufficientFunds
from wallet.services import account_of, open_wallet, post
from wallet.types import WalletMove

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
Spoiled = Callable[[Books, list[WalletMove]], list[WalletMove]]

SPOILED: dict[str, Spoiled] = {
    "no move": lambda b, moves: [],
    "other amount": lambda b, moves: [replace(moves[0], delta_minor=101)],
    "other sign": lambda b, moves: [replace(moves[0], delta_minor=-100)],
    "other bucket": lambda b, moves: [replace(moves[0], account_id=b.account("seller_pending"))],
    "another seller's wallet": lambda b, moves: [
        replace(moves[0], account_id=b.account("seller_available", seller=uuid4()))
    ],
    "other line": lambda b, moves: [replace(moves[0], line=1)],
    "move without a line": lambda b, moves: [*moves, replace(moves[0], line=3)],
    "move of an entry that is not there": lambda b, moves: [*moves, replace(moves[0], entry=2)],
    "move of an unguarded account": lambda b, moves: [*moves, WalletMove(1, 1, b.clearing, 100)],
}


@pytest.mark.parametrize("case", SPOILED)
def test_moves_that_differ_from_the_lines_are_refused(books: Books, case: str) -> None:
    draft, moves = books.move("clearing", "seller_available", 100)
    spoiled = SPOILED[case](books, moves)
    with nothing_changes(), pytest.raises(EntryUnbalanced), transaction.atomic():
        post(drafts=[draft], moves=spoiled)


def test_a_move_told_twice_is_refused(books: Books) -> None:
    draft, moves = books.move("clearing", "seller_available", 100)
    with nothing_changes(), pytest.raises(IntegrityError), transaction.atomic():
        post(drafts=[draft], moves=moves * 2)


@pytest.mark.parametrize("wrong", [[], [(1, 3, 100)], [(1, line, 100) for line in range(3, 40)]])
def test_a_move_of_no_account_hides_no_wrong_one(books: Books, wrong: list[tuple[int, int, int]]) -> None:
    """The row without an account must not be read as 'nothing is wrong': money from nothing."""
    draft, moves = books.move("clearing", "seller_available", 100)
    account = moves[0].account_id
    told = [(1, 2, account, 100)] if wrong else []
    told += [(entry, line, account, delta) for entry, line, delta in wrong]
    arrays = [list(column) for column in zip((None, None, None, 1), *told, strict=True)]
    with nothing_changes(), pytest.raises(DatabaseError, match="differ"):
        door_call("wallet_post", [*books.arrays(draft), *arrays])


def test_a_movement_shows_in_wallet_operations_and_books(books: Books) -> None:
    books.fund(100, role="seller_pending")
    books.transfer("seller_pending", "seller_available", 60)
    assert books.wallet() == {"pending": 40, "available": 60, "held": 0, "receivable": 0}
    operations = rows(
        "SELECT move.bucket, move.delta_minor, move.balance_after_minor, line.amount_minor"
        " FROM wallet_walletoperation AS move JOIN ledger_journalline AS line ON line.id = move.line_id"
        " ORDER BY move.line_id"
    )
    assert operations == [("pending", 100, 100, -100), ("pending", -60, 40, 60), ("available", 60, 60, -60)]


def test_what_a_seller_owes_grows_with_a_debit(books: Books) -> None:
    books.transfer("seller_receivable", "clearing", 30)
    assert books.wallet()["receivable"] == 30
    books.transfer("clearing", "seller_receivable", 10)
    assert books.wallet()["receivable"] == 20


def test_three_roles_share_the_held_bucket(books: Books) -> None:
    books.fund(100)
    for role, minor in (("seller_payout_hold", 10), ("seller_dispute_hold", 20), ("seller_reserve", 30)):
        books.transfer("seller_available", role, minor)
    assert books.wallet() == {"pending": 0, "available": 40, "held": 60, "receivable": 0}


# ------------------------------------------------------------------ floors


@pytest.mark.parametrize(
    ("debit", "credit"),
    [
        ("seller_pending", "seller_available"),
        ("seller_available", "seller_payout_hold"),
        ("seller_payout_hold", "clearing"),
        ("clearing", "seller_receivable"),
    ],
)
def test_no_bucket_goes_below_zero(books: Books, debit: str, credit: str) -> None:
    """W5: refused with its own error, and nothing moved; not by one unit."""
    role = debit if debit != "clearing" else credit
    if role == "seller_receivable":
        books.transfer("seller_receivable", "clearing", 100)
    else:
        books.fund(100, role=role)
    draft, moves = books.move(debit, credit, 101)
    with nothing_changes(), pytest.raises(InsufficientFunds), transaction.atomic():
        post(drafts=[draft], moves=moves)
    books.transfer(debit, credit, 100)


def test_a_balance_in_the_middle_of_a_batch_is_not_below_zero_either(books: Books) -> None:
    out, out_moves = books.move("seller_available", "clearing", 50)
    back, back_moves = books.move("clearing", "seller_available", 50)
    with nothing_changes(), pytest.raises(InsufficientFunds), transaction.atomic():
        post(drafts=[out, back], moves=[*out_moves, *(replace(move, entry=2) for move in back_moves)])
    with transaction.atomic():
        post(drafts=[back, out], moves=[*back_moves, *(replace(move, entry=2) for move in out_moves)])
    assert books.wallet()["available"] == 0


def test_one_wallet_short_stops_the_whole_batch(books: Books) -> None:
    good, good_moves = books.move("clearing", "seller_available", 10)
    bad, bad_moves = books.move("seller_payout_hold", "clearing", 1)
    with nothing_changes(), pytest.raises(InsufficientFunds), transaction.atomic():
        post(drafts=[good, bad], moves=[*good_moves, *(replace(move, entry=2) for move in bad_moves)])


def test_a_wallet_does_not_overflow(books: Books) -> None:
    books.fund(2**63 - 1)
    draft, moves = books.move("clearing", "seller_available", 1)
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic():
        post(drafts=[draft], moves=moves)
    books.transfer("seller_available", "clearing", 2**63 - 1)


# ------------------------------------------------------------------ again


def test_the_same_posting_again_moves_nothing(books: Books) -> None:
    draft, moves = books.move("clearing", "seller_available", 100, ref="r1")
    with transaction.atomic():
        (first,) = post(drafts=[draft], moves=moves)
    with nothing_changes(), transaction.atomic():
        (again,) = post(drafts=[draft], moves=moves)
    assert (first.is_new, again.is_new, again.id) == (True, False, first.id)


def test_an_old_entry_beside_a_new_one_moves_only_the_new(books: Books) -> None:
    old, old_moves = books.move("clearing", "seller_available", 100, ref="r5")
    with transaction.atomic():
        post(drafts=[old], moves=old_moves)
    new, new_moves = books.move("seller_available", "seller_payout_hold", 30, ref="r1")
    with transaction.atomic():
        refs = post(drafts=[old, new], moves=[*old_moves, *(replace(move, entry=2) for move in new_moves)])
    assert [ref.is_new for ref in refs] == [False, True]
    assert books.wallet() == {"pending": 0, "available": 70, "held": 30, "receivable": 0}


def test_the_same_key_with_other_content_moves_nothing(books: Books) -> None:
    books.fund(100, ref="r1")
    draft, moves = books.move("clearing", "seller_available", 99, ref="r1")
    with nothing_changes(), pytest.raises(EntryConflict), transaction.atomic():
        post(drafts=[draft], moves=moves)


# ------------------------------------------------------------------ opening


@pytest.mark.parametrize(("owner_type", "accounts"), [("seller", 6), ("buyer", 3)])
def test_a_wallet_is_opened_once_with_its_accounts(books: Books, owner_type: str, accounts: int) -> None:
    who: dict[str, Any] = {
        "merchant_id": books.merchant_id,
        "owner_type": owner_type,
        "owner_id": uuid4(),
        "currency": "JPY",
    }
    with transaction.atomic():
        first = open_wallet(**who)
    with nothing_changes(), transaction.atomic():
        assert open_wallet(**who) == first
    assert rows("SELECT count(*) FROM wallet_walletaccount WHERE wallet_id = %s", [first]) == [(accounts,)]


def test_an_owner_of_another_kind_has_no_wallet(books: Books) -> None:
    with nothing_changes(), pytest.raises(IntegrityError, match="wallet_known_kind"), transaction.atomic():
        open_wallet(merchant_id=books.merchant_id, owner_type="bank", owner_id=uuid4(), currency="USD")


def test_an_account_opened_in_a_lost_transaction_is_not_remembered(books: Books) -> None:
    """F-B: the process remembers account ids; one of a rolled back transaction is never used."""
    who: dict[str, Any] = {
        "merchant_id": books.merchant_id,
        "owner_type": "seller",
        "owner_id": uuid4(),
        "currency": "USD",
        "role": "seller_available",
    }
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        lost = account_of(**who)
        raise ZeroDivisionError
    with transaction.atomic():
        found = account_of(**who)
    assert found != lost
    assert rows("SELECT count(*) FROM ledger_account WHERE id = %s", [found]) == [(1,)]


def test_a_move_without_lines_cannot_be_made(books: Books) -> None:
    draft: EntryDraft = books.draft()
    account = books.account("seller_available")
    with nothing_changes(), pytest.raises(DatabaseError), transaction.atomic():
        post(drafts=[draft], moves=[WalletMove(1, 1, account, 5)])
    assert connection.is_usable()
