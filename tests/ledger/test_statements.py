"""The statement of an account: opening plus lines is closing, on every page and over all of them."""

import random
from datetime import date, timedelta
from uuid import uuid4

import pytest

from ledger.errors import AccountUnknown, EntryUnknown, PlaceUnknown
from ledger.selectors import account_statement, current_place, get_entry
from ledger.services import advance_checkpoints, advance_fence
from ledger.types import Statement, StatementLine
from tests.ledger.books import DAY, Books, rows
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def settle() -> None:
    ((last,),) = rows("SELECT coalesce(max(id), 0) FROM ledger_journalentry")
    eventually(lambda: advance_fence() >= last)


def read(books: Books, first: date, last: date, *, limit: int = 100, **other: int) -> list[Statement]:
    """Every page."""
    asked = {
        "merchant_id": books.merchant_id,
        "account_id": books.clearing,
        "first_day": first,
        "last_day": last,
        "limit": limit,
        **other,
    }
    pages = [account_statement(**asked)]
    while pages[-1].next:
        pages.append(
            account_statement(**{**asked, "recorded_until": pages[0].recorded_until}, after=pages[-1].next)
        )
    return pages


def adds_up(pages: list[Statement]) -> list[StatementLine]:
    """Every page begins where the last ended; return the lines of all."""
    balance = pages[0].opening_minor
    for page in pages:
        assert page.page_opening_minor == balance
        for line in page.lines:
            assert min(line.debit_minor, line.credit_minor) == 0 < max(line.debit_minor, line.credit_minor)
            balance += line.debit_minor - line.credit_minor
            assert line.balance_minor == balance
    assert balance == pages[0].closing_minor
    assert len({(page.opening_minor, page.closing_minor) for page in pages}) == 1
    return [line for page in pages for line in page.lines]


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
def test_a_statement_of_some_days(transactional_db: None, currency: str) -> None:
    books = Books(currency=currency)
    day = [DAY + timedelta(days=number) for number in range(4)]
    books.post(books.sale(1000, effective_date=day[0]), books.sale(200, effective_date=day[2]))
    books.post(books.draft(books.line(books.clearing, -30), books.line(books.tax, 30), effective_date=day[1]))
    books.post(books.sale(4, effective_date=day[3]))
    settle()
    (page,) = read(books, day[1], day[2])
    adds_up([page])
    assert (page.currency, page.opening_minor, page.closing_minor) == (currency, 1000, 1170)
    assert [(x.effective_date, x.debit_minor, x.credit_minor, x.balance_minor) for x in page.lines] == [
        (day[1], 0, 30, 970),
        (day[2], 200, 0, 1170),
    ]


@pytest.mark.parametrize("fold_after", [0, 40, 80, None])
@pytest.mark.parametrize("limit", [1, 7, 50, 200])
def test_pages_fit_whatever_the_order_of_dates(books: Books, fold_after: int | None, limit: int) -> None:
    """Lines come back by date and then by entry, once each, folded or not."""
    dice = random.Random(7)
    expected = []
    for number in range(80):
        if number == fold_after:
            settle()
            advance_checkpoints()
        day = DAY + timedelta(days=dice.randrange(12))
        (ref,) = books.post(books.sale(dice.choice([-1, 1]) * (number + 1), effective_date=day))
        expected.append((day, ref.id, number + 1))
    settle()
    if fold_after == 80:
        advance_checkpoints()
    first, last = DAY + timedelta(days=2), DAY + timedelta(days=9)
    lines = adds_up(read(books, first, last, limit=limit))
    shown = [(x.effective_date, x.entry_id, x.debit_minor + x.credit_minor) for x in lines]
    assert shown == [each for each in sorted(expected) if first <= each[0] <= last]


def test_several_lines_of_one_entry_are_not_torn(books: Books) -> None:
    pair = [books.line(books.clearing, 5, key=key) for key in ("a", "b", "c")]
    books.post(books.draft(*pair, books.line(books.tax, -15)))
    settle()
    for folded in (False, True):
        if folded:
            advance_checkpoints()
        lines = adds_up(read(books, DAY, DAY, limit=1))
        assert [line.clearing_key for line in lines] == ["a", "b", "c"]


def test_later_postings_do_not_disturb_the_pages(books: Books) -> None:
    """Read up to one place: what comes while a person turns the pages is in the next statement."""
    books.post(*[books.sale(1) for _ in range(10)])
    settle()
    asked = {
        "merchant_id": books.merchant_id,
        "account_id": books.clearing,
        "first_day": DAY,
        "last_day": DAY,
        "limit": 6,
    }
    first = account_statement(**asked)
    books.post(books.sale(1000, effective_date=DAY))
    settle()
    advance_checkpoints()
    second = account_statement(**asked, after=first.next, recorded_until=first.recorded_until)
    assert len(adds_up([first, second])) == 10
    assert account_statement(**asked).closing_minor == 1010
    # An old place with all its lines folded and more: the same pages again.
    place = first.recorded_until
    assert len(adds_up(read(books, DAY, DAY, limit=3, recorded_until=place))) == 10


def test_an_account_without_lines(books: Books) -> None:
    (page,) = read(books, date.min, date.max)
    assert (page.opening_minor, page.lines, page.closing_minor) == (0, (), 0)


def test_only_ones_own_account_and_a_settled_place(books: Books) -> None:
    asked = {"account_id": books.clearing, "first_day": DAY, "last_day": DAY}
    with pytest.raises(AccountUnknown):
        account_statement(merchant_id=uuid4(), **asked)
    with pytest.raises(PlaceUnknown):
        account_statement(merchant_id=books.merchant_id, recorded_until=current_place() + 1, **asked)
    (sale,) = books.post(books.sale())
    with pytest.raises(EntryUnknown):
        get_entry(merchant_id=uuid4(), entry_id=sale.id)
