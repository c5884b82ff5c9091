from collections.abc import Iterator

import pytest

from core.audits import registered, run_audits
from tests.ledger.books import BY_HAND, Books


@pytest.fixture
def books(transactional_db: None) -> Iterator[Books]:
    """A merchant with accounts and a seller; whatever the test did, the audits are clean afterwards."""
    yield Books()
    report = run_audits(names={each.name for each in registered()} - BY_HAND)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


@pytest.fixture
def strict_books(transactional_db: None) -> Iterator[Books]:
    """The same for what moves by the services of wallets: every audit, those of holds and debts too."""
    yield Books()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
