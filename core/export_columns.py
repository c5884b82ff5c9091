"""What a list gives as a file: named columns of whole values, and no cell that a spreadsheet would run."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from operator import attrgetter
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from core.csv_cells import text_cell
from core.ids import public_id
from core.money import format_minor

__all__ = [
    "MERCHANT",
    "Column",
    "actor_column",
    "amount_column",
    "column",
    "columns",
    "id_column",
    "row_cells",
]


@dataclass(frozen=True)
class Column:
    """One column: its name in the header, and the cell of a row."""

    name: str
    cell: Callable[[Any], str]


def column(name: str, value: Callable[[Any], Any] | str = "") -> Column:
    """Return the column of a value: what a function or an attribute path gives; the one of its name if none.

    Texts are written so that no spreadsheet takes them for formulas; moments in UTC, whole and in ISO 8601.
    """
    read = value if callable(value) else attrgetter(value or name)
    return Column(name, lambda row: _written(read(row)))


def columns(*names: str) -> tuple[Column, ...]:
    """Return the columns of the attributes with these names."""
    return tuple(column(name) for name in names)


def id_column(name: str, prefix: str, attribute: str = "pk") -> Column:
    """Return the column of a whole public id."""
    read = attrgetter(attribute)
    return Column(name, lambda row: "" if read(row) is None else public_id(prefix, read(row)))


def amount_column(name: str, minor: Callable[[Any], int | None] | str, currency: str = "currency") -> Column:
    """Return the column of an amount with exactly the decimals of the currency in the attribute `currency`.

    It is a number and nothing else, so that it adds up; the currency has a column of its own.
    """
    read, unit = minor if callable(minor) else attrgetter(minor), attrgetter(currency)

    def cell(row: Any) -> str:
        value, code = read(row), str(unit(row))
        return "" if value is None or not code else format_minor(value, code)

    return Column(name, cell)


def actor_column(name: str, attribute: str = "") -> Column:
    """Return the column of who did something, by name where the list looks its people up (`people`)."""
    read = attrgetter(attribute or name)
    return Column(name, lambda row: _written(getattr(row, "console_names", {}).get(read(row), read(row))))


# Whose the row is, for lists that name their merchants.
MERCHANT = Column("merchant", lambda row: _written(row.merchant_name))


def row_cells(given: Sequence[Column], row: Any) -> list[str]:
    """Return the cells of a row."""
    return [each.cell(row) for each in given]


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, dict):
        return text_cell(json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False))
    if isinstance(value, Iterable) and not isinstance(value, str):
        return text_cell("; ".join(str(each) for each in value))
    return text_cell(str(value))
