from collections.abc import Iterator
from importlib import import_module
from pkgutil import walk_packages

import pytest

import payments
from core.audits import registered, run_audits
from tests.ledger.books import BY_HAND
from tests.ledger.templates.real_books import RealBooks


def of_payments() -> set[str]:
    """The names of what payments watches, whichever of its modules does."""
    modules = [each.name for each in walk_packages(payments.__path__, "payments.")]
    found = [import_module(name).INVARIANTS for name in modules if name.endswith("audits")]
    return {each.name for invariants in found for each in invariants}


@pytest.fixture
def real(transactional_db: None) -> Iterator[RealBooks]:
    """A merchant in the real database; whatever was posted, the audits of books and wallets are clean.

    Those of payments would miss the payment: here only the books know of it.
    """
    yield RealBooks()
    report = run_audits(names={each.name for each in registered()} - of_payments() - BY_HAND)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
