"""What a model's attribute becomes on its way to the database, without asking the field where it need not.

Most columns hold a value that the driver takes as it is. For those the chain of methods that Django's fields
go through for every value ends where it began; only the others go through it.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import cache, partial
from typing import Any
from uuid import UUID

from django.db import models
from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int2, Int4, Int8

__all__ = ["Preparer", "preparers"]

# From a row and the database connection to the parameter of a statement.
Preparer = Callable[[models.Model, Any], Any]

_EASY: dict[type[Any], type] = {
    models.CharField: str,
    models.TextField: str,
    models.UUIDField: UUID,
    models.BooleanField: bool,
    models.BinaryField: bytes,
    models.DateTimeField: datetime,
    models.SmallIntegerField: int,
    models.IntegerField: int,
    models.BigIntegerField: int,
}
# With their width, so that a column has one type of parameter whatever the size of the number.
_WHOLE: dict[type[Any], type[int]] = {
    models.SmallIntegerField: Int2,
    models.IntegerField: Int4,
    models.BigIntegerField: Int8,
}
_STEPS = ("pre_save", "get_prep_value", "get_db_prep_value", "get_db_prep_save")
_MISSING = object()


@cache
def preparers(model: type[models.Model], *, is_new: bool = False) -> dict[str, Preparer]:
    """Return, by attribute, what turns it into the parameter of an INSERT (`is_new`) or an UPDATE."""
    return {field.attname: _preparer(field, is_new) for field in model._meta.concrete_fields}


def _preparer(field: Any, is_new: bool) -> Preparer:
    name, stored, carefully = field.attname, _stored_as(field), _carefully(field, is_new)
    if type(stored) is models.JSONField:
        return _json(name, stored.encoder, carefully)
    if isinstance(stored, models.DecimalField):
        return _decimal(name, carefully)
    base = next((each for each in type(stored).__mro__ if each in _EASY), None)
    if base is None or not _saves_like(type(stored), base) or getattr(stored, "auto_now", False):
        return carefully
    if base in _WHOLE:
        width = _WHOLE[base]

        def whole(row: models.Model, database: Any) -> Any:
            value = row.__dict__.get(name, _MISSING)
            return width(value) if type(value) is int else carefully(row, database)

        return whole
    plain = _EASY[base]

    def as_it_is(row: models.Model, database: Any) -> Any:
        value = row.__dict__.get(name, _MISSING)
        easy = value is None or type(value) is plain
        if type(value) is datetime and value.tzinfo is None:
            easy = False
        return value if easy else carefully(row, database)

    return as_it_is


def _json(name: str, encoder: Any, carefully: Preparer) -> Preparer:
    """What a dictionary or a list becomes; other values may be expressions, or the JSON null."""
    dumps = json.dumps if encoder is None else partial(json.dumps, cls=encoder)

    def as_json(row: models.Model, database: Any) -> Any:
        value = row.__dict__.get(name, _MISSING)
        if value is None:
            return None
        return Jsonb(value, dumps=dumps) if type(value) in (dict, list) else carefully(row, database)

    return as_json


def _decimal(name: str, carefully: Preparer) -> Preparer:
    """A field of money keeps the bare number in the row, and makes an object of it only to take it apart."""

    def as_number(row: models.Model, database: Any) -> Any:
        value = row.__dict__.get(name, _MISSING)
        return value if type(value) is Decimal and value.is_finite() else carefully(row, database)

    return as_number


def _saves_like(kind: type[Any], base: type[Any]) -> bool:
    """True when a kind of field adds nothing of its own to how its base's values are saved."""
    return all(getattr(kind, step) is getattr(base, step) for step in _STEPS)


def _stored_as(field: Any) -> Any:
    """The field that a foreign key points to, in the end; any other field is itself."""
    while field.is_relation:
        field = field.target_field
    return field


def _carefully(field: Any, is_new: bool) -> Preparer:
    """As Django does it."""

    def through_the_field(row: models.Model, database: Any) -> Any:
        return field.get_db_prep_save(field.pre_save(row, add=is_new), database)

    return through_the_field
