import pytest

from tests.store import Store, open_store


@pytest.fixture
def store(db: None) -> Store:
    return open_store()
