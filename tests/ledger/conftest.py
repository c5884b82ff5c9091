from collections.abc import Iterator

import pytest

from core.audits import run_audits
from tests.ledger.books import Books


@pytest.fixture
def books(transactional_db: None) -> Iterator[Books]:
    """A merchant with accounts and a seller; whatever the test did, the audits are clean afterwards."""
    yield Books()
    report = run_audits()
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
