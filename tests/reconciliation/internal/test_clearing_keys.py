"""Clearing accounts by key (P3): what is open, since when, and at any date; against a plain model."""

from collections import defaultdict
from datetime import date, timedelta
from random import Random

import pytest

from ledger.selectors import clearing_totals, day_positions, open_clearing, trial_balance
from ledger.services import advance_checkpoints, advance_fence
from tests.ledger.books import Books, rows
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db]
FIRST = date(2026, 1, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(8)]
KEYS = ("a", "b", "c", "d")
Moved = list[tuple[date, str, int]]


def month(books: Books, seed: int) -> Moved:
    """Random movements of a clearing account in random order of recording; many keys return to zero."""
    random = Random(seed)
    moved: Moved = []
    for _ in range(40):
        key = random.choice(KEYS)
        balance = sum(minor for _, each, minor in moved if each == key)
        minor = -balance if balance and random.random() < 0.5 else random.choice((-30, -7, 5, 12, 100))
        moved.append((random.choice(DAYS), key, minor))
    for day, key, minor in moved:
        line = books.line(books.clearing, minor, key=key)
        books.post(books.draft(line, books.line(books.commission, -minor), effective_date=day))
    return moved


def stood(moved: Moved, day: date) -> dict[str, tuple[int, date, date]]:
    """By key that is open at the end of a day: its balance, since when, and when it last moved."""
    found = {}
    for key in KEYS:
        by_day: dict[date, int] = defaultdict(int)
        for at, each, minor in moved:
            if each == key and at <= day:
                by_day[at] += minor
        balance, since = 0, None
        for at in sorted(by_day):
            if balance == 0:
                since = at
            balance += by_day[at]
        if balance and since:
            found[key] = (balance, since, max(by_day))
    return found


@pytest.mark.parametrize("seed", range(3))
def test_open_keys_at_any_date(seed: int) -> None:
    """P3: what is open on a day is what the movements up to it say."""
    books = Books()
    compare(books, month(books, seed))


@pytest.mark.django_db(transaction=True)
def test_open_keys_when_some_is_folded() -> None:
    """The same when day totals hold a part of the lines and the rest is the tail."""
    books = Books()
    moved = month(books, 7)
    ((last,),) = rows("SELECT max(id) FROM ledger_journalentry")
    eventually(lambda: advance_fence() >= last)
    advance_checkpoints()
    compare(books, moved)
    compare(books, moved + month(books, 8))


def compare(books: Books, moved: Moved) -> None:
    for day in DAYS:
        found = open_clearing(merchant_id=books.merchant_id, as_of=day)
        assert {
            each.clearing_key: (each.balance_minor, each.opened_on, each.last_on) for each in found
        } == stood(moved, day)
        assert [each.opened_on for each in found] == sorted(each.opened_on for each in found)
        balances = trial_balance(merchant_id=books.merchant_id, effective_until=day)
        in_account = next(each for each in balances if each.account_id == books.clearing)
        assert sum(each.balance_minor for each in found) == in_account.balance_minor


def test_a_key_is_late_from_the_day_that_its_role_names() -> None:
    books = Books()
    for day, key in ((DAYS[0], "old"), (DAYS[2], "young")):
        books.post(
            books.draft(
                books.line(books.clearing, 10, key=key), books.line(books.commission, -10), effective_date=day
            )
        )
    asked = {"merchant_id": books.merchant_id, "as_of": DAYS[4], "late_before": {"psp_clearing": DAYS[2]}}
    late = open_clearing(**asked, late_only=True)
    assert [(each.clearing_key, each.is_late) for each in late] == [("old", True)]
    (total,) = clearing_totals(**asked)
    assert (total.keys, total.balance_minor, total.late_keys, total.late_minor) == (2, 20, 1, 10)
    assert total.oldest_on == DAYS[0]
    assert clearing_totals(**{**asked, "late_before": {}})[0].late_keys == 0
    assert open_clearing(merchant_id=books.merchant_id, as_of=DAYS[4], roles=["cod_in_transit"]) == []


@pytest.mark.parametrize("seed", range(3))
def test_days_add_up_to_the_balance(seed: int) -> None:
    """L13, P6: opening and movements are the closing, each day begins where the one before ended, and all
    days together are the balance."""
    books = Books()
    month(books, seed)
    ended: dict[tuple[str, str | None], int] = {}
    activity: dict[tuple[str, str | None], int] = defaultdict(int)
    for day in DAYS:
        found = day_positions(merchant_id=books.merchant_id, day=day)
        assert sum(each.debit_minor - each.credit_minor for each in found) == 0
        for each in found:
            name = (each.role, each.provider)
            assert each.opening_minor == ended.get(name, 0)
            ended[name] = each.closing_minor
            activity[name] += each.debit_minor - each.credit_minor
    balances = trial_balance(merchant_id=books.merchant_id)
    assert {(each.role, each.provider): each.balance_minor for each in balances if each.balance_minor} == {
        name: minor for name, minor in activity.items() if minor
    }
