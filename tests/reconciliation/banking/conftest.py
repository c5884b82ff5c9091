"""A bank account for each test."""

import pytest

from tests.reconciliation.banking.rig import Bank, open_bank


@pytest.fixture
def bank(db: None, monkeypatch: pytest.MonkeyPatch) -> Bank:
    """An empty account, a provider and a seller with money."""
    return open_bank(monkeypatch)
