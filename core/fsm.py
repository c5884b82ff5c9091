"""State machines: the only module that imports django-fsm.

One table per machine says which changes are allowed. The model's transitions read their sources from
it, a database trigger holds the same edges, and a test compares the two, so that neither the ORM, the
admin nor raw SQL can make a change that the table does not allow.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, TypeVar, cast

from django.db import models

with warnings.catch_warnings():
    # The package announces its successor, which has another licence; the pin is deliberate.
    warnings.simplefilter("ignore", UserWarning)
    from django_fsm import (
        ConcurrentTransition,
        ConcurrentTransitionMixin,
        FSMFieldMixin,
        TransitionNotAllowed,
        can_proceed,
    )
    from django_fsm import FSMField as _FSMField
    from django_fsm import transition as _transition

__all__ = [
    "MACHINES",
    "ConcurrentTransition",
    "Machine",
    "StateField",
    "StatefulModel",
    "TransitionNotAllowed",
    "can_proceed",
    "transition",
]

F = TypeVar("F", bound=Callable[..., None])
MACHINES: dict[str, "Machine"] = {}


@dataclass(frozen=True)
class Machine:
    """One state machine: its name, the state it starts in, and the states each state may become."""

    name: str
    initial: str
    table: Mapping[str, tuple[str, ...]]

    def __post_init__(self) -> None:
        MACHINES[self.name] = self

    @property
    def states(self) -> list[str]:
        """Every state, in the order of the table."""
        seen = dict.fromkeys([self.initial, *self.table])
        for targets in self.table.values():
            seen |= dict.fromkeys(targets)
        return list(seen)

    @property
    def edges(self) -> list[tuple[str, str]]:
        """Every allowed change as (from, to)."""
        return [(source, target) for source, targets in self.table.items() for target in targets]

    @property
    def choices(self) -> list[tuple[str, str]]:
        """The states as Django choices."""
        return [(state, state.replace("_", " ").capitalize()) for state in self.states]

    def sources(self, target: str) -> list[str]:
        """The states that may become `target`."""
        return [source for source, to in self.edges if to == target]

    def allows(self, source: str, target: str) -> bool:
        """Say whether a row in `source` may become `target`."""
        return target in self.table.get(source, ())

    @property
    def edge_list(self) -> str:
        """The edges as the database trigger's argument: A>B,B>C."""
        return ",".join(f"{source}>{target}" for source, target in self.edges)


class StateField(_FSMField):  # type: ignore[misc]
    """A protected state column: assigning to it raises, only transitions change it."""

    def __init__(self, machine: Machine | None = None, **kwargs: Any) -> None:
        if machine is not None:
            kwargs |= {"default": machine.initial, "choices": machine.choices}
        kwargs.setdefault("max_length", 24)
        super().__init__(protected=True, **kwargs)

    def deconstruct(self) -> Any:
        """Leave the choices to the table and the trigger: a new state is not a new column."""
        name, path, args, kwargs = super().deconstruct()
        for derived in ("choices", "protected"):
            kwargs.pop(derived, None)
        return name, path, args, kwargs


def transition(machine: Machine, field: Any, target: str) -> Callable[[F], F]:
    """Declare a model's transition to `target`; its sources come from the machine's table.

    The method sets columns of its own row and nothing else.
    """
    return cast("Callable[[F], F]", _transition(field=field, source=machine.sources(target), target=target))


class _SafeRefresh(ConcurrentTransitionMixin):  # type: ignore[misc]
    """Let refresh_from_db work on protected fields, without ever lifting the protection.

    It stands between the package and the models so that migrations name this class, not the package.
    """

    @property
    def state_fields(self) -> Sequence[Any]:
        """The columns that hold a state; the package looks through all columns for every object it makes."""
        return _state_fields(cast(Any, type(self)))

    def refresh_from_db(self, using: Any = None, fields: Any = None, from_queryset: Any = None) -> None:
        row = cast(Any, self)
        for field in row._meta.concrete_fields:
            if isinstance(field, FSMFieldMixin) and (fields is None or field.attname in fields):
                row.__dict__.pop(field.attname, None)  # The descriptor allows the first assignment.
        models.Model.refresh_from_db(row, using=using, fields=fields, from_queryset=from_queryset)
        row._update_initial_state()


@cache
def _state_fields(model: type[Any]) -> tuple[Any, ...]:
    return tuple(field for field in model._meta.fields if isinstance(field, FSMFieldMixin))


class StatefulModel(_SafeRefresh, models.Model):
    """A row with a state machine; saving a row whose state changed meanwhile raises ConcurrentTransition.

    Where the first state of every row would only repeat that it was inserted, `begins_in_history` is False
    and the history begins with the first change.
    """

    machine: ClassVar[Machine]
    state_column: ClassVar[str] = "status"
    begins_in_history: ClassVar[bool] = True

    class Meta:
        abstract = True

    @property
    def state(self) -> str:
        """The current state, whatever the column is called."""
        return str(getattr(self, self.state_column))

    def is_saved(self) -> None:
        """Say that the row was written by other means than `save`: later changes start from this state."""
        self._update_initial_state()
