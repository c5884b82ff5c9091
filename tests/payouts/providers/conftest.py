from collections.abc import Iterator

import pytest

from channels import breaker, rows


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    """Nothing remembered from the test before."""
    rows.forget()
    breaker.forget()
    yield
