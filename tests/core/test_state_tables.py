"""Every state machine is in the database as well: the same first state and the same edges, row by row."""

from typing import Any

import pytest
from django.apps import apps

from core.fsm import MACHINES, StatefulModel
from tests.database import as_owner

pytestmark = [pytest.mark.database, pytest.mark.django_db]
STATEFUL = sorted(
    (model for model in apps.get_models() if issubclass(model, StatefulModel)),
    key=lambda model: model._meta.label,
)

# tgtype: 1 for each row, 2 before, 4 insert, 16 update. tgattr: the columns of UPDATE OF.
GUARDS = """
    SELECT guard.tgname, guard.tgargs, guard.tgtype & 23, guard.tgenabled,
        (SELECT array_agg(attname::text) FROM pg_attribute
         WHERE attrelid = guard.tgrelid AND attnum = ANY (guard.tgattr::int2[]))
    FROM pg_trigger AS guard JOIN pg_proc AS function ON function.oid = guard.tgfoid
    WHERE guard.tgrelid = %s::regclass AND function.proname = 'core_fsm_guard' AND NOT guard.tgisinternal
"""


def guards(table: str) -> list[tuple[Any, ...]]:
    return as_owner(GUARDS, [table])


@pytest.mark.parametrize("model", STATEFUL, ids=lambda model: model._meta.label)
def test_the_trigger_holds_the_machines_table(model: type[StatefulModel]) -> None:
    column, machine = model.state_column, model.machine
    found = guards(model._meta.db_table)
    assert len(found) == 1, f"{model._meta.label} needs guard_state in a migration; it has {found}"
    ((_, arguments, kind, enabled, columns),) = found
    guarded, initial, edges, rest = bytes(arguments).decode().split("\0")
    assert (guarded, initial, rest) == (column, machine.initial, "")
    written = edges.split(",")
    assert sorted(written) == sorted(machine.edge_list.split(",")), model._meta.label
    assert len(set(written)) == len(written)
    assert (kind, enabled, columns) == (23, "O", [column])


@pytest.mark.parametrize("model", STATEFUL, ids=lambda model: model._meta.label)
def test_every_state_fits_its_column(model: type[StatefulModel]) -> None:
    field = model._meta.get_field(model.state_column)
    assert field.max_length is not None
    assert max(map(len, model.machine.states)) <= field.max_length


def test_every_machine_belongs_to_a_table() -> None:
    """A machine that no model uses guards nothing."""
    assert sorted(model.machine.name for model in STATEFUL) == sorted(MACHINES)


def test_every_guarded_table_belongs_to_a_machine() -> None:
    """And a trigger that stayed behind when its model went is found."""
    guarded = as_owner(
        "SELECT DISTINCT tgrelid::regclass::text FROM pg_trigger JOIN pg_proc ON pg_proc.oid = tgfoid"
        " WHERE proname = 'core_fsm_guard'"
    )
    assert sorted(table for (table,) in guarded) == sorted(model._meta.db_table for model in STATEFUL)


def test_a_table_without_a_trigger_has_no_guard() -> None:
    """The control of the query: a table that has no state."""
    assert guards("core_statuschange") == []
