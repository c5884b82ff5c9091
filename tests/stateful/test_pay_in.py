"""The whole of pay-in against its model: every answer, what the provider really did, and the books."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from core import failpoints
from events.inbox import InboxDrain
from payments.drains import OperationDrain
from tests.payments.conftest import provider as provider
from tests.sandbox.conftest import Sandbox
from tests.stateful.effort import examples
from tests.stateful.pay_in_machine import PayInMachine
from tests.stateful.pay_in_world import die

pytestmark = [pytest.mark.chaos, pytest.mark.database, pytest.mark.django_db(transaction=True)]


@pytest.fixture(autouse=True)
def _one_hand(settings: Any, hooks: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """One worker that does one thing after the other, so that a seed tells everything; killed, it lives on."""
    settings.PSP_READ_TIMEOUT = 0.5
    monkeypatch.setattr(OperationDrain, "parallel", 1)
    monkeypatch.setattr(InboxDrain, "parallel", 1)
    monkeypatch.setitem(failpoints._ACTIONS, "die", die)
    yield


def test_pay_in_is_as_the_model_says(provider: Sandbox) -> None:
    """F-A1 to F-A5, F-G1, I1: whatever breaks and in whatever order it is told, everything is once or never."""
    run_state_machine_as_test(
        lambda: PayInMachine(provider), settings=examples(few=50, many=1000, steps=14)
    )
