"""Every rule of the tree."""

from ..rule import Rule
from . import (
    boundaries,
    doors,
    failure,
    money,
    naming,
    network,
    queries,
    size,
    state,
    time_and_work,
    web,
    words,
)

MODULES = (
    boundaries,
    doors,
    failure,
    money,
    naming,
    network,
    queries,
    size,
    state,
    time_and_work,
    web,
    words,
)
ALL: tuple[Rule, ...] = tuple(rule for module in MODULES for rule in module.RULES)
