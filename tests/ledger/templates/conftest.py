from collections.abc import Iterator

import pytest

from core.audits import registered, run_audits
from payments.audits import INVARIANTS as OF_PAYMENTS
from tests.ledger.books import BY_HAND
from tests.ledger.templates.real_books import RealBooks


@pytest.fixture
def real(transactional_db: None) -> Iterator[RealBooks]:
    """A merchant in the real database; whatever was posted, the audits of books and wallets are clean.

    Those of payments would miss the payment: here only the books know of it.
    """
    yield RealBooks()
    report = run_audits(
        names={each.name for each in registered()} - {each.name for each in OF_PAYMENTS} - BY_HAND
    )
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
