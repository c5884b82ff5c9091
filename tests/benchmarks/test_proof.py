"""A month of a million payments, day by day and on both sides, is explained without a fault (DESIGN 9).

`make bench ARGS="-k proof"`; BENCH_LINES says how many payments the month has (1 000 000 by default). It is
the proof of the smaller months in tests/reconciliation/proof: everything planted is found with its class,
nothing else is, and every account of the books is as the generator works it out. It tells what that took.
"""

import os

import pytest

from tests.months import month
from tests.reconciliation.proof.proving import proven

pytestmark = [pytest.mark.benchmark, pytest.mark.django_db(transaction=True)]

LINES = int(os.environ.get("BENCH_LINES", "1000000"))


def test_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Recall and precision are 1.0, and the money is the answer key's to the cent."""
    proven(monkeypatch, month(seed=5, size=LINES, month="2026-10", bank_plants=True))
