"""One hosted charge over three sellers: whatever happens to it, every part is explained and closes to zero."""

from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from core import clock
from payments.psp import stripe_adapter
from tests.stateful.effort import examples
from tests.stateful.parts_machine import PartsMachine
from tests.stateful.parts_provider import PaperProvider
from tests.stateful.parts_world import Watch

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _paper(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """The provider is on paper, the clock stands, and nothing is sent from the web process."""
    settings.INLINE_REGISTRATIONS = 0
    settings.PSP_BREAKER_FAILURES = 10**6
    monkeypatch.setattr(clock, "now", Watch.now)
    monkeypatch.setattr(stripe_adapter, "StripeAdapter", PaperProvider)


def test_parts_close_whatever_happens() -> None:
    """F-G7, F-G8, F-G4, I12, P2, P3: each step is explained by key and by part; the end is exactly zero."""
    run_state_machine_as_test(PartsMachine, settings=examples(few=50, many=1000, steps=14))
