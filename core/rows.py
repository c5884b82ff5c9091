"""Whole rows read, inserted and updated by statements that are built once.

The ORM builds the SQL of every query anew, and on the path of a payment that cost more than the database
did. These functions send the same SQL with the same conversions of values, without building it: for the
few places that every payment passes. Everything else uses the ORM.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import psycopg
from django.db.models import AutoField, Field, Model
from django.db.transaction import get_connection

from core.transactions import requires_transaction

__all__ = ["columns_of", "insert_rows", "read_rows", "update_row"]

# Inserts of more rows at once are too rare and too varied to be worth a place in the server's memory.
_FEW = 8


@cache
def columns_of(model: type[Model], alias: str) -> str:
    """Return the columns of a whole row for a SELECT, of the table under this alias."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def read_rows(*, sql: str, params: Sequence[Any], models: Sequence[type[Model]]) -> list[tuple[Any, ...]]:
    """Run a SELECT of `columns_of` each model, in this order; return one instance of each per row."""
    database = get_connection()
    found = []
    with _executed(database, sql, params) as cursor:
        rows = cursor.fetchall()
    for row in rows:
        instances, start = [], 0
        for model in models:
            names, converters = _reading(model)
            values = list(row[start : start + len(names)])
            start += len(names)
            for place, convert in converters:
                values[place] = convert(values[place], None, database)
            instances.append(model.from_db(database.alias, names, values))
        found.append(tuple(instances))
    return found


@requires_transaction
def insert_rows(rows: Sequence[Model]) -> None:
    """Insert rows of one model, all in one statement. A key that the database makes is not read back."""
    if not rows:
        return
    fields, sql, places = _inserting(type(rows[0]))
    database = get_connection()
    params = [
        field.get_db_prep_save(field.pre_save(row, add=True), database) for row in rows for field in fields
    ]
    with _executed(database, sql + ", ".join([places] * len(rows)), params, prepare=len(rows) <= _FEW):
        for row in rows:
            row._state.adding, row._state.db = False, database.alias


@requires_transaction
def update_row(row: Model, *, names: Collection[str], only_if: dict[str, Any]) -> bool:
    """Write these attributes of a row if its columns in the database still have the values `only_if`.

    Returns False when they have not, or the row is gone; nothing was written then.
    """
    fields = _fields(type(row))
    key = row._meta.pk
    assert key is not None
    changed = ", ".join(f'"{fields[name].column}" = %s' for name in names)
    condition = " AND ".join(f'"{fields[name].column}" = %s' for name in (key.attname, *only_if))
    database = get_connection()
    params = [
        fields[name].get_db_prep_save(fields[name].pre_save(row, add=False), database) for name in names
    ]
    params.append(key.get_db_prep_save(row.pk, database))
    params += [fields[name].get_db_prep_save(value, database) for name, value in only_if.items()]
    # Names of tables and columns come from the models, never from outside.
    sql = f'UPDATE "{row._meta.db_table}" SET {changed} WHERE {condition}'  # noqa: S608
    with _executed(database, sql, params) as cursor:
        return cursor.rowcount == 1


@contextmanager
def _executed(
    database: Any, sql: str, params: Sequence[Any], *, prepare: bool = True
) -> Iterator["psycopg.Cursor[Any]"]:
    """Run a statement that the server parses and plans once for each connection."""
    database.ensure_connection()
    with database.wrap_database_errors, psycopg.Cursor(database.connection) as cursor:
        cursor.execute(sql, params, prepare=prepare)
        yield cursor


@cache
def _fields(model: type[Model]) -> dict[str, "Field[Any, Any]"]:
    return {field.attname: field for field in model._meta.concrete_fields}


@cache
def _reading(model: type[Model]) -> tuple[list[str], list[tuple[int, Callable[[Any, Any, Any], Any]]]]:
    """The attributes of a row, and what turns some of its database values into them, by place."""
    fields: list[Any] = list(model._meta.concrete_fields)
    converters = [
        (n, field.from_db_value) for n, field in enumerate(fields) if hasattr(field, "from_db_value")
    ]
    return [field.attname for field in fields], converters


@cache
def _inserting(model: type[Model]) -> tuple[list["Field[Any, Any]"], str, str]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = "(" + ", ".join(["%s"] * len(fields)) + ")"
    return fields, f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ', places  # noqa: S608
