from collections.abc import Iterator

import pytest

from core.audits import run_audits
from tests.ledger.templates.real_books import RealBooks


@pytest.fixture
def real(transactional_db: None) -> Iterator[RealBooks]:
    """A merchant in the real database; whatever was posted, the audits are clean afterwards."""
    yield RealBooks()
    report = run_audits()
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
