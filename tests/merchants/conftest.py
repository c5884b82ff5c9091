from collections.abc import Iterator

import pytest

from tests.openapi.contract import check_events
from tests.store import Store, open_store


@pytest.fixture
def store(db: None) -> Iterator[Store]:
    yield open_store()
    check_events()
