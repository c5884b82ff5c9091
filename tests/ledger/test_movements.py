"""What each kind of entry moved: summed over the kinds, it is the balance of every account of a role."""

from collections import Counter
from uuid import uuid4

import pytest

from ledger.chart import CHART
from ledger.selectors import movement_totals, trial_balance
from tests.ledger.books import Books

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("currency", ["JPY", "USD", "KWD"])
def test_movements_add_up_to_the_balances(currency: str) -> None:
    books, others = Books(currency=currency), Books(currency=currency)
    for amount in (100, 20, 7):
        books.post(books.sale(amount))
        others.post(others.sale(1_000 * amount))
    moved: Counter[tuple[str, str]] = Counter()
    for each in movement_totals(merchant_id=books.merchant_id, roles=list(CHART)):
        moved[each.currency, each.role] += each.amount_minor
    balances: Counter[tuple[str, str]] = Counter()
    for account in trial_balance(merchant_id=books.merchant_id):
        balances[account.currency, account.role] += account.balance_minor
    assert {key: minor for key, minor in moved.items() if minor} == {
        key: minor for key, minor in balances.items() if minor
    }
    assert any(moved.values())


def test_only_the_roles_that_are_asked_for() -> None:
    books = Books()
    books.post(books.sale(100))
    [role] = {each.role for each in trial_balance(merchant_id=books.merchant_id) if each.balance_minor > 0}
    found = movement_totals(merchant_id=books.merchant_id, roles=[role])
    assert [(each.role, each.amount_minor) for each in found] == [(role, 100)]
    assert movement_totals(merchant_id=uuid4(), roles=[role]) == []
