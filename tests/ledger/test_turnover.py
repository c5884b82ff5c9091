"""What a number of the books is made of: each step down adds up to the number above it, at every place."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from random import Random
from uuid import uuid4

import pytest

from ledger.selectors import (
    Asked,
    account_statement,
    current_place,
    day_turnover,
    get_entry,
    turnover_by_account,
    turnover_sum,
)
from ledger.selectors.account_keys import account_keys, lines_of_key
from ledger.services import advance_checkpoints, advance_fence
from ledger.statements import trial_balance_by_role
from ledger.types import AccountTurnover, StatementLine, TurnoverSum
from tests.ledger.books import DAY, Books, rows

ROLES = ("psp_clearing", "seller_available", "seller_pending", "commission", "tax_payable")
LAST = DAY + timedelta(days=4)


def post_some(books: Books, chance: Random, number: int) -> None:
    """Sales on plain accounts under a few keys, and money of several sellers."""
    sellers = [books.seller, uuid4(), uuid4()]
    for _ in range(number):
        day = DAY + timedelta(days=chance.randrange(5))
        minor = chance.choice([-1, 1]) * chance.randrange(1, 10_000)
        key = f"k{chance.randrange(4)}"
        if chance.random() < 0.6:
            other = chance.choice([books.commission, books.tax])
            books.post(
                books.draft(
                    books.line(books.clearing, minor, key=key), books.line(other, -minor), effective_date=day
                )
            )
        else:
            role = chance.choice(["seller_available", "seller_pending"])
            books.fund(abs(minor), role=role, seller=chance.choice(sellers))


def keep() -> None:
    """Move fence, checkpoints and day totals to all that is posted."""
    advance_fence(), advance_fence()
    while advance_checkpoints():
        pass


def pages(asked: Asked) -> Iterator[AccountTurnover]:
    """All accounts, three at a time."""
    after = 0
    while True:
        found, _whole = turnover_by_account(asked=asked, after=after, limit=3)
        yield from found
        if len(found) < 3:
            return
        after = found[-1].account_id


def statement(books: Books, row: AccountTurnover, first: date, last: date, known: int) -> list[StatementLine]:
    """All lines of an account over some days; opening plus lines is closing on the way."""
    lines: list[StatementLine] = []
    place = None
    while True:
        page = account_statement(
            merchant_id=books.merchant_id,
            account_id=row.account_id,
            first_day=first,
            last_day=last,
            recorded_until=known,
            after=place,
            limit=4,
        )
        assert (page.opening_minor, page.closing_minor) == (row.opening_minor, row.closing_minor)
        lines += page.lines
        if page.next is None:
            return lines
        place = page.next


@pytest.mark.parametrize("seed", range(3))
def test_every_step_down_adds_up_to_the_number_above(books: Books, seed: int) -> None:
    """Figure, accounts, lines, entries: at places behind the day totals and ahead of them."""
    chance = Random(seed)
    post_some(books, chance, 25)
    advance_fence(), advance_fence()
    early = current_place()
    if seed:
        keep()
    post_some(books, chance, 25)
    keep() if seed == 2 else (advance_fence(), advance_fence())
    first, last = DAY + timedelta(days=1), DAY + timedelta(days=3)
    for known in (early, current_place()):
        by_day = day_turnover(
            merchants=[books.merchant_id], roles=ROLES, first_day=first, last_day=last, known=known
        )
        for role in ROLES:
            asked = Asked(
                merchants=[books.merchant_id],
                roles=[role],
                currency="USD",
                first_day=first,
                last_day=last,
                known=known,
            )
            whole, accounts = turnover_sum(asked=asked), list(pages(asked))
            assert whole.accounts == len(accounts) == len({row.account_id for row in accounts})
            days = [each for each in by_day if each.role == role]
            assert (whole.debit_minor, whole.credit_minor) == (
                sum(each.debit_minor for each in days),
                sum(each.credit_minor for each in days),
            )
            assert whole.opening_minor == sum(row.opening_minor for row in accounts)
            assert whole.closing_minor == sum(row.closing_minor for row in accounts)
            assert (whole.debit_minor, whole.credit_minor) == (
                sum(row.debit_minor for row in accounts),
                sum(row.credit_minor for row in accounts),
            )
            for row in accounts:
                lines = statement(books, row, first, last, known)
                assert sum(line.debit_minor for line in lines) == row.debit_minor
                assert sum(line.credit_minor for line in lines) == row.credit_minor
                for line in lines:
                    entry = get_entry(merchant_id=books.merchant_id, entry_id=line.entry_id)
                    assert (row.account_id, line.debit_minor, line.credit_minor) in [
                        (each.account_id, each.debit_minor, each.credit_minor) for each in entry.lines
                    ]


def moved(asked: Asked) -> tuple[list[AccountTurnover], TurnoverSum]:
    """Accounts with something on them, and the sum; one that was opened later is empty for ever."""
    found, whole = turnover_by_account(asked=asked)
    return [row for row in found if row.debit_minor or row.credit_minor], replace(whole, accounts=0)


def test_the_figures_of_a_place_never_change(books: Books) -> None:
    """The same link says the same, whatever is posted, folded or counted afterwards."""
    chance = Random(7)
    post_some(books, chance, 20)
    advance_fence(), advance_fence()
    asked = Asked(
        merchants=[books.merchant_id],
        roles=ROLES,
        currency="USD",
        first_day=DAY,
        last_day=LAST,
        known=current_place(),
    )
    said = moved(asked)
    post_some(books, chance, 20)
    assert moved(asked) == said
    keep()
    assert moved(asked) == said


@pytest.mark.parametrize("is_kept", [False, True])
def test_accounts_of_a_role_are_its_row_of_the_trial_balance(books: Books, is_kept: bool) -> None:
    chance = Random(11)
    post_some(books, chance, 30)
    if is_kept:
        keep()
        post_some(books, chance, 5)
    for row in trial_balance_by_role(merchant_id=books.merchant_id):
        whole = turnover_sum(
            asked=Asked(
                merchants=[books.merchant_id],
                roles=[row.role],
                currency=row.currency,
                provider=row.provider,
                one_provider=True,
            )
        )
        assert (whole.accounts, whole.debit_balances_minor, whole.credit_balances_minor) == (
            row.accounts,
            row.debit_minor,
            row.credit_minor,
        )


@pytest.mark.parametrize("is_kept", [False, True])
def test_open_keys_add_up_to_their_account_and_lines_to_their_key(books: Books, is_kept: bool) -> None:
    """Also where the newest lines bring kept keys to zero, on pages of two."""
    for number in range(9):
        books.post(
            books.draft(books.line(books.clearing, 5, key=f"a{number}"), books.line(books.commission, -5))
        )
    if is_kept:
        keep()
    for number in (0, 1, 2, 5):
        books.post(
            books.draft(books.line(books.clearing, -5, key=f"a{number}"), books.line(books.commission, 5))
        )
    books.post(books.draft(books.line(books.clearing, 7, key="a4"), books.line(books.commission, -7)))
    found: list[tuple[str, int]] = []
    after = ""
    while True:
        page = account_keys(account_id=books.clearing, after=after, limit=2)
        found += page.rows
        if not page.after:
            break
        assert len(page.rows) == 2, "a page is full while there are keys"
        after = page.after
    assert found == [("a3", 5), ("a4", 12), ("a6", 5), ("a7", 5), ("a8", 5)]
    assert (page.count, page.balance_minor) == (5, 32)
    [(balance,)] = rows(
        "SELECT sum(amount_minor) FROM ledger_journalline WHERE account_id = %s", [books.clearing]
    )
    assert page.balance_minor == balance
    for key, minor in found:
        lines, count, sum_minor = lines_of_key(account_id=books.clearing, key=key)
        assert (count, sum_minor) == (len(lines), minor) and sum_minor == sum(x.amount_minor for x in lines)
    rest, count, whole = lines_of_key(
        account_id=books.clearing, key="a4", after=lines_of_key(account_id=books.clearing, key="a4")[0][0].id
    )
    assert ([line.amount_minor for line in rest], count, whole) == ([7], 2, 12)
