"""The tables of the machines and the guards of the database are the same, row by row."""

import re
from typing import Any

import pytest

from core.fsm import Machine
from events.states import DELIVERY, ENDPOINT, INBOX, INBOX_WORK

pytestmark = pytest.mark.database


@pytest.mark.parametrize(
    ("table", "machine"),
    [
        ("events_webhookinbox", INBOX),
        ("events_inboxwork", INBOX_WORK),
        ("events_webhookendpoint", ENDPOINT),
        ("events_webhookdelivery", DELIVERY),
    ],
)
@pytest.mark.django_db
def test_the_database_holds_the_same_edges(table: str, machine: Machine, owner_sql: Any) -> None:
    [(definition,)] = owner_sql(
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname = %s", [f"{table}_status_guard"]
    )
    column, initial, edges = re.findall(r"'([^']*)'", definition)
    assert (column, initial) == ("status", machine.initial)
    assert sorted(edges.split(",")) == sorted(machine.edge_list.split(","))
