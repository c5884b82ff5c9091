"""Minor units are whole: nothing rounds an amount on its way into the books."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from core.money import InexactAmount
from tests.ledger.books import Books, nothing_changes

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    "sides",
    [(1.4, -1.4), (100.0, -100.0), (Decimal("1.4"), Decimal("-1.4")), ("100", "-100"), (True, True)],
    ids=repr,
)
def test_an_amount_that_is_no_integer_is_refused(books: Books, sides: tuple[Any, Any]) -> None:
    """PostgreSQL itself would make 1 of 1.4."""
    draft = books.sale(1)
    lines = tuple(replace(line, amount_minor=side) for line, side in zip(draft.lines, sides, strict=True))
    with nothing_changes(), pytest.raises(InexactAmount):
        books.post(replace(draft, lines=lines))
