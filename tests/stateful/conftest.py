"""What the races of this folder need."""

from collections.abc import Iterator

import pytest
from django.db import connection

from tests.database import login

CONNECTIONS = 40


@pytest.fixture
def many_connections(transactional_db: None) -> Iterator[None]:
    """Let every thread have a connection to the server, and not wait for another's."""
    options = connection.settings_dict["OPTIONS"]
    login({"OPTIONS": options | {"pool": options["pool"] | {"max_size": CONNECTIONS}}})
    yield
    login({"OPTIONS": options})
