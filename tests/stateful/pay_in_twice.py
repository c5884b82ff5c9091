"""A history of pay-in that is written down while it is played, so that it can be played once more."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any

from hypothesis.stateful import INITIALIZE_RULE_MARKER, RULE_MARKER

from tests.sandbox.conftest import Sandbox
from tests.stateful.pay_in_machine import PayInMachine

__all__ = ["Written", "again"]


class Written(PayInMachine):
    """Keeps each step and what was to be seen after it; `ended` is told when everything is over."""

    def __init__(self, provider: Sandbox, ended: Callable[["Written"], None]) -> None:
        super().__init__(provider)
        self.steps: list[tuple[str, dict[str, Any]]] = []
        self.seen: list[dict[str, Any]] = []
        self.ended = ended

    def _look(self) -> None:
        super()._look()
        if len(self.seen) < len(self.steps):
            self.seen.append(self._facts())

    def teardown(self) -> None:
        """Everything comes to its end, and is written down as well."""
        was_sound = self.is_sound
        self.steps.append(("teardown", {}))
        super().teardown()
        if was_sound:
            self.seen[-1] = self._facts()
            self.ended(self)

    def _facts(self) -> dict[str, Any]:
        orders, refunds = self.model.orders.values(), self.model.refunds.values()
        return {
            "orders": [(each.name, each.status, each.captured, each.authorized_at) for each in orders],
            "refunds": [(each.order, each.amount, each.status) for each in refunds],
            "reasons": sorted(self.model.reasons),
            "moved": [(row["kind"], row["amount"]) for row in self.world.journal()],
            "due": [row[:2] for row in self.world.due()],
        }


def again(first: Written, provider: Sandbox) -> list[dict[str, Any]]:
    """Play the same steps once more, and return what was seen."""
    second = Written(provider, lambda _: None)
    for name, values in first.steps[:-1]:
        getattr(second, name)(**values)
        second.everything_is_as_the_model_allows()
    second.teardown()
    return second.seen


def _written(name: str, plain: Any) -> None:
    """Let a rule be written down when it is played, but not what it plays as a part of its own."""
    for mark in (RULE_MARKER, INITIALIZE_RULE_MARKER):
        rule = getattr(plain, mark, None)
        if rule is not None:
            noted = _noting(name, rule.function)
            setattr(noted, mark, replace(rule, function=noted))
            setattr(Written, name, noted)


def _noting(name: str, function: Any) -> Any:
    @wraps(function)
    def noted(self: Written, *given: Any, **values: Any) -> Any:
        if not given:
            self.steps.append((name, values))
        return function(self, *given, **values)

    return noted


for _name, _plain in vars(PayInMachine).items():
    _written(_name, _plain)
