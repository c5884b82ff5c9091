"""A store whose sellers are paid out."""

import pytest

from tests.store import Store, open_store


@pytest.fixture
def store(db: None) -> Store:
    """A merchant with a key."""
    return open_store()
