"""The money of a month that was taken in, against what the generator says that it must be."""

from collections import Counter

from tests.reconciliation.proof.naming import Names, ask
from tests.reconciliation.proof.whole import Whole

__all__ = ["check_money"]

_CLEARING = """
    SELECT account.currency, line.clearing_key, sum(line.amount_minor)::bigint
    FROM ledger_journalline AS line JOIN ledger_account AS account ON account.id = line.account_id
    WHERE account.merchant_id = %s AND account.role = 'psp_clearing'
    GROUP BY 1, 2 HAVING sum(line.amount_minor) <> 0
"""


def check_money(whole: Whole) -> None:
    """Every account of the month holds what it must, and psp_clearing does so by payment and by line."""
    books = whole.month.books()
    wanted = {key: minor for key, minor in books.balances.items() if minor}
    found = whole.balances()
    assert found == wanted, {
        key: (found.get(key, 0), wanted.get(key, 0))
        for key in found.keys() | wanted.keys()
        if found.get(key, 0) != wanted.get(key, 0)
    }
    names = Names(whole.merchant_id)
    cleared: Counter[tuple[str, str]] = Counter()
    for currency, key, minor in ask(_CLEARING, whole.merchant_id):
        cleared[currency, names.of_key(key)] += minor
    off = {key: (cleared[key], minor) for key, minor in books.clearing.items() if cleared[key] != minor}
    assert not off, list(off.items())[:5]
    assert {key for key, minor in cleared.items() if minor} <= books.clearing.keys()
