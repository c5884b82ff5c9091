"""What a seller is credited with pays the debt first, whoever comes at the same time (S3)."""

from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from core import clock
from ledger.templates.entry import Posting
from ledger.templates.reserves import debt_netting_entry
from tests.ledger.books import DAY, Books, rows
from tests.racing import race
from wallet.errors import InsufficientFunds
from wallet.purposes import seller_accounts
from wallet.selectors import accounts_of
from wallet.services import expire_holds, moves_for, post, post_netted, release_funds

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def wallet_of(books: Books) -> object:
    return rows("SELECT id FROM wallet_wallet WHERE owner_id = %s", [books.seller])[0][0]


def credit_netted(books: Books, minor: int) -> None:
    draft, _ = books.move("clearing", "seller_available", minor)
    with transaction.atomic():
        post_netted(drafts=[draft])


@pytest.mark.parametrize(
    ("debt", "credited", "left", "owed"), [(30, 100, 70, 0), (100, 30, 0, 70), (5, 5, 0, 0)]
)
def test_a_credit_pays_the_debt_first(
    strict_books: Books, debt: int, credited: int, left: int, owed: int
) -> None:
    strict_books.transfer("seller_receivable", "clearing", debt)
    credit_netted(strict_books, credited)
    assert strict_books.wallet() == {"pending": 0, "available": left, "held": 0, "receivable": owed}


def test_the_same_credit_again_nets_nothing_again(strict_books: Books) -> None:
    strict_books.transfer("seller_receivable", "clearing", 30)
    draft, _ = strict_books.move("clearing", "seller_available", 20)
    for _ in range(2):
        with transaction.atomic():
            post_netted(drafts=[draft])
    assert strict_books.wallet()["receivable"] == 10


def test_two_credits_at_once_net_the_debt_once(strict_books: Books) -> None:
    strict_books.transfer("seller_receivable", "clearing", 100)
    race([lambda: credit_netted(strict_books, 80)] * 2)
    assert strict_books.wallet() == {"pending": 0, "available": 60, "held": 0, "receivable": 0}


def test_without_the_lock_they_would_net_it_twice(strict_books: Books) -> None:
    """The control: both decide by what they read before they post."""
    strict_books.transfer("seller_receivable", "clearing", 100)
    both_have_read = Barrier(2, timeout=20)

    def careless() -> None:
        draft, _ = strict_books.move("clearing", "seller_available", 80)
        owed = strict_books.wallet()["receivable"]
        connection.close()
        both_have_read.wait()
        with transaction.atomic():
            post(drafts=[draft], moves=moves_for(drafts=[draft]))
            accounts = accounts_of(merchant_id=strict_books.merchant_id, wallet_id=wallet_of(strict_books))
            netting = debt_netting_entry(
                posting=Posting(strict_books.merchant_id, "USD", DAY),
                seller=seller_accounts(accounts=accounts),
                netting_id=draft.source_ref,
                amount_minor=min(80, owed),
            )
            post(drafts=[netting], moves=moves_for(drafts=[netting]))

    outcomes = race([careless] * 2)
    assert sum(isinstance(each, InsufficientFunds) for each in outcomes) == 1


def test_a_release_keeps_a_tranche_pays_the_debt_and_gives_the_tranche_back(strict_books: Books) -> None:
    strict_books.fund(90, role="seller_pending")
    strict_books.transfer("seller_receivable", "clearing", 50)
    until = clock.now() - timedelta(seconds=1)
    for _ in range(2):
        with transaction.atomic():
            release_funds(
                merchant_id=strict_books.merchant_id,
                wallet_id=wallet_of(strict_books),
                release_id="rel_1",
                amount_minor=90,
                effective_date=DAY,
                reserve_bps=1000,
                reserve_until=until,
            )
        assert strict_books.wallet() == {"pending": 0, "available": 31, "held": 9, "receivable": 0}
    assert expire_holds() == 1
    assert strict_books.wallet() == {"pending": 0, "available": 40, "held": 0, "receivable": 0}
    assert rows("SELECT state FROM wallet_hold") == [("RELEASED",)]


def test_more_than_is_pending_is_not_released(strict_books: Books) -> None:
    strict_books.fund(10, role="seller_pending")
    with pytest.raises(InsufficientFunds), transaction.atomic():
        release_funds(
            merchant_id=strict_books.merchant_id,
            wallet_id=wallet_of(strict_books),
            release_id="rel_1",
            amount_minor=11,
            effective_date=DAY,
        )
