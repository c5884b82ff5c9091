"""Clocks that stand still: a history that is played again finds the same moment at each step."""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial
from typing import ClassVar

import pytest

from channels import breaker
from core import clock
from tests.sandbox.conftest import Sandbox

__all__ = ["begin_at_noon", "forget_time", "stand_still", "tick"]

_DAY, _NOON = 24 * 3600, 12 * 3600
# What a request or a run of the worker takes.
_TICK = timedelta(milliseconds=50)


class _Still(datetime):
    """In the place of `datetime` in the product's clock."""

    moment: ClassVar[datetime] = datetime.now(UTC)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return cls.moment


def stand_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the product's clock, and that of its breakers, moves only when it is moved."""
    forget_time()
    monkeypatch.setattr(clock, "datetime", _Still)
    seconds: Callable[[], float] = lambda: clock.now().timestamp()  # noqa: E731
    monkeypatch.setattr(breaker, "Breaker", partial(breaker.Breaker, clock=seconds))


def tick() -> None:
    """Something was done, and took its time."""
    _Still.moment += _TICK


def forget_time() -> None:
    """It is as late as it really is."""
    _Still.moment = datetime.now(UTC)


def begin_at_noon(provider: Sandbox) -> None:
    """Every history begins at the same time of a day, here and at the provider, with the same luck."""
    there: float = provider.control("GET", "clock")["now"]
    latest = max(there, clock.now().timestamp())
    noon = ((latest - _NOON) // _DAY + 1) * _DAY + _NOON
    provider.control("POST", "clock", {"seconds": noon - there})
    _Still.moment += datetime.fromtimestamp(noon, UTC) - clock.now()
    random.seed(0)  # Pauses have jitter.
