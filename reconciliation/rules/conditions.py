"""What a rule may ask of a break, beside its class: a small declared schema, checked when a rule is written.

A condition that is not in the schema is not met: a rule of a later version never takes what it cannot judge.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from core.currencies import EXPONENTS
from reconciliation.errors import BreakRuleInvalid
from reconciliation.formats.contract import Kind

__all__ = ["CONDITIONS", "Asked", "check_conditions", "conditions_hold"]

_MOST = 2**63 - 1


@dataclass(frozen=True)
class Asked:
    """What conditions are asked about: a break's amount in minor units, and what else is known of it."""

    amount_minor: int
    said: Mapping[str, str]


@dataclass(frozen=True)
class Condition:
    """One thing a rule may ask: what it means, which values it takes, and whether a break meets one."""

    says: str
    is_value: Callable[[Any], bool]
    is_amount: bool = False


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 64


CONDITIONS: dict[str, Condition] = {
    "kind": Condition("the kind of the line or movement", lambda value: value in set(Kind)),
    "currency": Condition("the currency of the amount at stake", lambda value: value in EXPONENTS),
    "sign": Condition(
        "in for money that comes, out for money that goes", lambda value: value in ("in", "out")
    ),
    "source": Condition("the name of the source", _is_text),
    "provider": Condition("the provider of the source", _is_text),
    "quarantine": Condition("why the line was put aside", _is_text),
    "most_minor": Condition("at most so many minor units are at stake", lambda _: True, is_amount=True),
    "least_minor": Condition("at least so many minor units are at stake", lambda _: True, is_amount=True),
}


def conditions_hold(conditions: Mapping[str, Any], asked: Asked) -> bool:
    """Say whether a break meets all conditions; of a list of values one is enough."""
    if set(conditions) - set(CONDITIONS):
        return False
    if asked.amount_minor > conditions.get("most_minor", _MOST):
        return False
    if asked.amount_minor < conditions.get("least_minor", 0):
        return False
    return all(
        asked.said.get(name) in (wanted if isinstance(wanted, list) else [wanted])
        for name, wanted in conditions.items()
        if not CONDITIONS[name].is_amount
    )


def check_conditions(conditions: Mapping[str, Any]) -> None:
    """Raise BreakRuleInvalid for a condition that nobody declared, or a value that it cannot have."""
    for name, wanted in conditions.items():
        known = CONDITIONS.get(name)
        if known is None:
            raise BreakRuleInvalid(
                f"{name} is no condition; there are {', '.join(CONDITIONS)}.", param="conditions"
            )
        if known.is_amount:
            if type(wanted) is not int or not 0 <= wanted <= _MOST:
                raise BreakRuleInvalid(f"{name} is a whole number of minor units.", param="conditions")
            continue
        values = wanted if isinstance(wanted, list) else [wanted]
        if not 1 <= len(values) <= 50 or not all(
            isinstance(each, str) and known.is_value(each) for each in values
        ):
            raise BreakRuleInvalid(f"{name}: {known.says}, or a list of such.", param="conditions")
    if conditions.get("least_minor", 0) > conditions.get("most_minor", _MOST):
        raise BreakRuleInvalid("No amount is at least and at most that.", param="conditions")
