"""The chart of accounts is complete, and the database holds to it."""

import re
from importlib import import_module
from typing import Any

import psycopg
import pytest

from ledger.chart import CHART, CLEARING_ROLES, GUARDED_ROLES
from tests.database import owner_connection

_SIDES = {"asset": "debit", "exp": "debit", "contra": "debit", "liab": "credit", "rev": "credit"}
_RULES = {"ledger_account_guarded_by_role": GUARDED_ROLES, "ledger_account_clearing_by_role": CLEARING_ROLES}


def test_names_and_codes_are_unique_and_fit_their_columns() -> None:
    assert len({role.code for role in CHART.values()}) == len(CHART)
    assert all(len(name) <= 32 for name in CHART)
    assert all(role.use and role.normal in ("debit", "credit", "either") for role in CHART.values())


def test_a_role_is_named_as_the_last_part_of_its_code() -> None:
    """One exception: what a payout costs and what it earns would have the same name."""
    other = {role.name: role.code for role in CHART.values() if role.code.split(".")[1] != role.name}
    assert other == {"payout_fee_expense": "exp.payout_fee"}


def test_the_class_of_a_code_says_the_normal_side() -> None:
    expected = {
        name: _SIDES.get(role.code.split(".")[0], "credit" if role.code.startswith("equity.") else "either")
        for name, role in CHART.items()
    }
    assert {name: role.normal for name, role in CHART.items()} == expected


def test_what_is_behind_a_wallet_does_not_clear_by_key() -> None:
    """Holds do that for wallets; and every clearing account says by what key and when."""
    assert not set(GUARDED_ROLES) & set(CLEARING_ROLES)
    assert len(GUARDED_ROLES) == 13
    for name in CLEARING_ROLES:
        clears = CHART[name].clears
        assert clears and clears.key and clears.says
        assert clears.sla_hours is None or clears.sla_hours > 0
    assert [name for name in CLEARING_ROLES if CHART[name].clears.sla_hours is None] == ["psp_reserve_held"]  # type: ignore[union-attr]


def rule(owner: psycopg.Connection[Any], name: str) -> set[str]:
    """The roles that a constraint of the account table names."""
    row = owner.execute(
        "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint"
        " WHERE conrelid = 'ledger_account'::regclass AND conname = %s",
        [name],
    ).fetchone()
    assert row and row[1], f"{name} is not in force"
    return set(re.findall(r"'([a-z_]+)'", row[0]))


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", _RULES)
def test_the_database_names_the_roles_of_the_chart(name: str) -> None:
    with owner_connection() as owner:
        assert rule(owner, name) == set(_RULES[name])


@pytest.mark.database
@pytest.mark.django_db(transaction=True)
def test_the_chart_can_be_undone_and_done_again() -> None:
    """Back to the rules of before, and forward to those of the chart; all of it rolled back."""
    (operation,) = import_module("ledger.migrations.0005_chart").Migration.operations
    with owner_connection() as owner:
        for statement in operation.reverse_sql:
            owner.execute(statement)
        assert rule(owner, "ledger_account_clearing_by_role") == {"psp_clearing"}
        assert rule(owner, "ledger_account_guarded_by_role") == {
            name for name in GUARDED_ROLES if not name.startswith(("bonus", "points"))
        }
        for statement in operation.sql:
            owner.execute(statement)
        for name, roles in _RULES.items():
            assert rule(owner, name) == set(roles)
        owner.rollback()
