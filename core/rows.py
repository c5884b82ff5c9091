"""Whole rows read, inserted and updated by statements that are built once, and sent together.

The ORM builds the SQL of every query anew and waits for each answer, and on the path of a payment that cost
more than the database did. These functions send the same SQL with the same conversions of values: for the
few places that every payment passes. Everything else uses the ORM.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, TypeVar

import psycopg
from django.db.models import AutoField, Field, Model
from django.db.models.base import ModelState
from django.db.transaction import get_connection

from core.fsm import StatefulModel
from core.pipelines import pipeline
from core.row_values import Preparer, preparers
from core.transactions import requires_transaction

__all__ = [
    "Batch",
    "Query",
    "columns_of",
    "insert_new",
    "insert_rows",
    "new_row",
    "read_rows",
    "read_together",
]

M = TypeVar("M", bound=Model)
# The values of a statement, by place or by name.
Params = Sequence[Any] | Mapping[str, Any]

# Inserts of more rows at once are too rare and too varied to be worth a place in the server's memory.
_FEW = 8


@cache
def columns_of(model: type[Model], alias: str) -> str:
    """Return the columns of a whole row for a SELECT, of the table under this alias."""
    return ", ".join(f'{alias}."{field.column}"' for field in model._meta.concrete_fields)


def new_row(model: type[M], **columns: Any) -> M:
    """Return a row to insert, with these values by column attribute and the defaults of the others.

    For the rows that every payment leaves. Making a model's object in Django's way asks every field and two
    signals, and takes longer than sending the row. A column of money takes the decimal number, with its
    currency beside it.
    """
    row = model.__new__(model)
    constants, made = _defaults(model)
    if not constants.keys() >= columns.keys():
        raise TypeError(f"{model.__name__} has no such column: {columns.keys() - constants.keys()}")
    values = row.__dict__
    values["_state"] = ModelState()
    values.update(constants)
    values.update(columns)
    for name, make in made:
        if name not in columns:
            values[name] = make()
    if isinstance(row, StatefulModel):
        row.is_saved()
    return row


class Query(NamedTuple):
    """A SELECT of `columns_of` each of the models, in this order; with no models, of anything."""

    sql: str
    params: Params
    models: Sequence[type[Model]] = ()


def read_rows(*, sql: str, params: Params, models: Sequence[type[Model]] = ()) -> list[tuple[Any, ...]]:
    """Run one SELECT of `columns_of` each model; return one instance of each per row.

    With no models, of anything, or another statement that returns rows; give whole numbers a width then
    (psycopg's Int4), so that the statement has one plan for all of them.
    """
    return read_together(Query(sql, params, models))[0]


def read_together(*queries: Query) -> list[list[tuple[Any, ...]]]:
    """Run several SELECTs, waiting once for all; return the rows of each as `read_rows` does.

    The server runs them one after the other: what an earlier one waited for, a later one sees.
    """
    database = get_connection()
    found: list[list[tuple[Any, ...]]] = []
    with _executed(database, [(query.sql, query.params, True) for query in queries]) as cursors:
        for cursor, query in zip(cursors, queries, strict=True):
            rows = cursor.fetchall()
            readers = [_reading(model) for model in query.models]
            found.append(
                [_instances(row, query.models, readers, database) for row in rows] if readers else rows
            )
    return found


@requires_transaction
def insert_rows(rows: Sequence[Model]) -> None:
    """Insert rows of one model, all in one statement. A key that the database makes is not read back."""
    batch = Batch()
    batch.insert(rows)
    batch.send()


@requires_transaction
def insert_new(row: Model) -> bool:
    """Insert a row unless one with a key of its own is there already; return whether it was inserted.

    Of many at once one inserts, and the others wait for its commit to learn that theirs is known.
    """
    prepared, sql, places = _inserting(type(row))
    database = get_connection()
    params = [prepare(row, database) for prepare in prepared]
    with _executed(database, [(f"{sql}{places} ON CONFLICT DO NOTHING", params, True)]) as cursors:
        return cursors[0].rowcount == 1


class Batch:
    """Writes that are sent together, in order, with one wait for all instead of one for each.

    Values are taken when a write is added: what happens to the row afterwards is another write.
    """

    def __init__(self) -> None:
        self._database = get_connection()
        self._statements: list[tuple[str, Params, bool]] = []
        self._losses: dict[int, Exception] = {}
        self._inserted: list[Model] = []

    def insert(self, rows: Sequence[Model]) -> None:
        """Add an insert of rows of one model; a key that the database makes is not read back."""
        if not rows:
            return
        prepared, sql, places = _inserting(type(rows[0]))
        database = self._database
        params = [prepare(row, database) for row in rows for prepare in prepared]
        self._statements.append((sql + ", ".join([places] * len(rows)), params, len(rows) <= _FEW))
        self._inserted += rows

    def update(self, row: Model, *, names: Collection[str], only_if: dict[str, Any], lost: Exception) -> None:
        """Add an update of these attributes; `lost` is raised if the columns `only_if` are others by then."""
        self._losses[len(self._statements)] = lost
        self._statements.append((*_update(self._database, row, names, only_if), True))

    def run(self, sql: str, params: Sequence[Any]) -> None:
        """Add any other statement whose result nobody needs."""
        self._statements.append((sql, params, True))

    @requires_transaction
    def send(self) -> None:
        """Send everything that was added; raise what the first statement that failed raises."""
        if not self._statements:
            return
        with _executed(self._database, self._statements) as cursors:
            for place, lost in self._losses.items():
                if cursors[place].rowcount != 1:
                    raise lost
        for row in self._inserted:
            row._state.adding, row._state.db = False, self._database.alias
        self._statements, self._losses, self._inserted = [], {}, []


@contextmanager
def _executed(
    database: Any, statements: Sequence[tuple[str, Params, bool]]
) -> Iterator[list["psycopg.Cursor[Any]"]]:
    """Run statements that the server parses and plans once for each connection."""
    database.ensure_connection()
    raw = database.connection
    if database.queries_logged:  # As Django's cursors do, so that a count of queries is a count of all.
        database.queries_log.extend({"sql": sql, "time": "0"} for sql, _, _ in statements)
    cursors = [psycopg.Cursor(raw) for _ in statements]
    with database.wrap_database_errors:
        if len(statements) == 1:
            cursors[0].execute(statements[0][0], statements[0][1], prepare=statements[0][2])
        else:
            with pipeline(raw):
                for cursor, (sql, params, prepare) in zip(cursors, statements, strict=True):
                    cursor.execute(sql, params, prepare=prepare)
        yield cursors
    for cursor in cursors:
        cursor.close()


def _update(
    database: Any, row: Model, names: Collection[str], only_if: dict[str, Any]
) -> tuple[str, list[Any]]:
    prepared = preparers(type(row))
    key = row._meta.pk
    assert key is not None
    columns = _columns(type(row))
    changed = ", ".join([f"{columns[name]} = %s" for name in names])
    condition = " AND ".join([f"{columns[name]} = %s" for name in (key.attname, *only_if)])
    params = [prepared[name](row, database) for name in (*names, key.attname)]
    fields = _fields(type(row))
    params += [fields[name].get_db_prep_save(value, database) for name, value in only_if.items()]
    # Names of tables and columns come from the models, never from outside.
    return f'UPDATE "{row._meta.db_table}" SET {changed} WHERE {condition}', params  # noqa: S608


def _instances(
    row: Sequence[Any], models: Sequence[type[Model]], readers: Sequence[Any], database: Any
) -> tuple[Any, ...]:
    instances, start = [], 0
    for model, (names, converters) in zip(models, readers, strict=True):
        values = list(row[start : start + len(names)])
        start += len(names)
        for place, convert in converters:
            values[place] = convert(values[place], None, database)
        instances.append(_stored(model, names, values, database.alias))
    return tuple(instances)


def _stored(model: type[M], names: Sequence[str], values: Sequence[Any], alias: str) -> M:
    """Return what `Model.from_db` would for a whole row; it sets every attribute through its field."""
    row = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, alias
    attributes = row.__dict__
    attributes["_state"] = state
    attributes.update(zip(names, values, strict=True))
    if isinstance(row, StatefulModel):
        row.is_saved()
    return row


@cache
def _defaults(model: type[Model]) -> tuple[dict[str, Any], list[tuple[str, Callable[[], Any]]]]:
    """The default of each attribute, in the order of the columns, and what makes those that are made anew."""
    fields = model._meta.concrete_fields
    made = [(field.attname, field.get_default) for field in fields if callable(field.default)]
    anew = dict(made)
    return {each.attname: None if each.attname in anew else each.get_default() for each in fields}, made


@cache
def _fields(model: type[Model]) -> dict[str, "Field[Any, Any]"]:
    return {field.attname: field for field in model._meta.concrete_fields}


@cache
def _columns(model: type[Model]) -> dict[str, str]:
    return {field.attname: f'"{field.column}"' for field in model._meta.concrete_fields}


@cache
def _reading(model: type[Model]) -> tuple[list[str], list[tuple[int, Callable[[Any, Any, Any], Any]]]]:
    """The attributes of a row, and what turns some of its database values into them, by place."""
    fields: list[Any] = list(model._meta.concrete_fields)
    converters = [
        (n, field.from_db_value) for n, field in enumerate(fields) if hasattr(field, "from_db_value")
    ]
    return [field.attname for field in fields], converters


@cache
def _inserting(model: type[Model]) -> tuple[list[Preparer], str, str]:
    fields = [field for field in model._meta.concrete_fields if not isinstance(field, AutoField)]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    places = "(" + ", ".join(["%s"] * len(fields)) + ")"
    prepared = preparers(model, is_new=True)
    return (
        [prepared[field.attname] for field in fields],
        f'INSERT INTO "{model._meta.db_table}" ({columns}) VALUES ',  # noqa: S608
        places,
    )
