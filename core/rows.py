"""Whole rows read, inserted and updated by statements that are built once.

The ORM builds the SQL of every query anew, and on the path of a payment that cost more than the database
did. These functions send the same SQL with the same conversions of values, without building it: for the
few places that every payment passes. Everything else uses the ORM.
"""

from collections.abc import Callable, Collection, Sequence
from functools import cache
from typing import Any

from django.db import connection
from django.db.models import AutoField, Field, Model

from core.transactions import requires_transaction

__all__ = ["columns_of", "insert_rows", "read_rows", "update_row"]


@cache
def columns_of(model: type[Model], alias: str) -> str:
    """Return the columns of a whole row for a SELECT, of the table under this alias."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def read_rows(*, sql: str, params: Sequence[Any], models: Sequence[type[Model]]) -> list[tuple[Any, ...]]:
    """Run a SELECT of `columns_of` each model, in this order; return one instance of each per row."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows = cursor.fetchall()
    found = []
    for row in rows:
        instances, start = [], 0
        for model in models:
            names, converters = _reading(model)
            values = list(row[start : start + len(names)])
            start += len(names)
            for place, convert in converters:
                values[place] = convert(values[place])
            instances.append(model.from_db(connection.alias, names, values))
        found.append(tuple(instances))
    return found


@requires_transaction
def insert_rows(rows: Sequence[Model]) -> None:
    """Insert rows of one model, all in one statement. A key that the database makes is not read back."""
    if not rows:
        return
    fields, sql, places = _inserting(type(rows[0]))
    params = [
        field.get_db_prep_save(field.pre_save(row, add=True), connection) for row in rows for field in fields
    ]
    with connection.cursor() as cursor:
        cursor.execute(sql + ", ".join([places] * len(rows)), params)
    for row in rows:
        row._state.adding, row._state.db = False, connection.alias


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
    params = [
        fields[name].get_db_prep_save(fields[name].pre_save(row, add=False), connection) for name in names
    ]
    params += [fields[name].get_db_prep_save(value, connection) for name, value in only_if.items()]
    params.insert(len(names), key.get_db_prep_save(row.pk, connection))
    with connection.cursor() as cursor:
        # Names of tables and columns come from the models, never from outside.
        cursor.execute(f'UPDATE "{row._meta.db_table}" SET {changed} WHERE {condition}', params)  # noqa: S608
        return bool(cursor.rowcount == 1)


@cache
def _fields(model: type[Model]) -> dict[str, "Field[Any, Any]"]:
    return {field.attname: field for field in model._meta.concrete_fields}


@cache
def _reading(model: type[Model]) -> tuple[list[str], list[tuple[int, Callable[[Any], Any]]]]:
    """The attributes of a row, and what turns some of its database values into them, by place."""
    converters = [
        (place, _converter(field))
        for place, field in enumerate(model._meta.concrete_fields)
        if hasattr(field, "from_db_value")
    ]
    return [field.attname for field in model._meta.concrete_fields], converters


def _converter(field: Any) -> Callable[[Any], Any]:
    def convert(value: Any) -> Any:
        return field.from_db_value(value, None, connection)

    return convert


@cache
def _inserting(model: type[Model]) -> tuple[list["Field[Any, Any]"], str, str]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = "(" + ", ".join(["%s"] * len(fields)) + ")"
    return fields, f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ', places  # noqa: S608
