"""Nudges: one is enough, a broker that is away costs nothing, a rolled back transaction nudges nobody."""

from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from core import nudges

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda task, *, queue, **_: names.append(queue))
    monkeypatch.setattr(nudges, "_quiet_until", 0.0)
    nudges.acknowledge("operations")
    return names


def test_nudges_wait_for_the_commit_and_are_one(sent: list[str]) -> None:
    with transaction.atomic():
        nudges.nudge("operations")
        nudges.nudge("operations")
        assert sent == []
    assert sent == ["operations"]
    nudges.nudge_now("operations")
    assert sent == ["operations"]


def test_a_drain_that_started_may_be_nudged_again(sent: list[str]) -> None:
    nudges.nudge_now("operations")
    nudges.acknowledge("operations")
    nudges.nudge_now("operations")
    assert sent == ["operations", "operations"]


def test_of_several_drains_those_are_started_that_nobody_woke_yet(sent: list[str]) -> None:
    nudges.acknowledge("relay")
    nudges.nudge_now("operations")
    nudges.nudge_now("operations", "relay")
    assert sent == ["operations", "relay"]


def test_what_rolls_back_nudges_nobody(sent: list[str]) -> None:
    with pytest.raises(ValueError, match="no"), transaction.atomic():
        nudges.nudge("operations")
        raise ValueError("no")
    assert sent == []


def test_a_broker_that_is_away_costs_next_to_nothing(
    sent: list[str], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F-D1, F-D10: the first nudge finds out; the next ones do not even try."""
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    tries: list[str] = []
    client = nudges._redis

    def counted(url: str) -> Any:
        tries.append(url)
        return client(url)

    monkeypatch.setattr(nudges, "_redis", counted)
    monkeypatch.setattr(nudges, "_QUIET_SECONDS", 60.0)
    with transaction.atomic():
        nudges.nudge("operations")
    for _ in range(100):
        nudges.nudge_now("operations")
    assert (len(tries), sent) == (1, [])
