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
