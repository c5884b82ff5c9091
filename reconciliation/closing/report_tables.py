"""Of what the parts of a day's report are made: tables of text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.money import format_minor
from ledger.chart import CHART

__all__ = ["Figures", "Section", "Table", "amount", "code", "moves", "table"]

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Table:
    """Rows of text below names of columns. `numbers` are the places of columns that hold numbers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numbers: frozenset[int]


@dataclass(frozen=True)
class Section:
    """One part of the report; `empty` is what it says without rows, `note` what stands below its title."""

    name: str
    title: str
    table: Table
    empty: str
    note: str = ""


def table(columns: Sequence[str], rows: Iterable[tuple[str, ...]], *numbers: int) -> Table:
    """Return rows below the names of their columns; `numbers` are the places of numbers."""
    return Table(tuple(columns), tuple(rows), frozenset(numbers))


def moves(each: Mapping[str, str]) -> tuple[str, ...]:
    """Return opening, debit, credit and closing of a position."""
    return tuple(
        amount(each[f"{what}_minor"], each["currency"]) for what in ("opening", "debit", "credit", "closing")
    )


def code(role: str, provider: str) -> str:
    """Return the code of the accounts of a role at a provider."""
    name = CHART[role].code
    return f"{name}:{provider}" if provider else name


def amount(minor: str, currency: str) -> str:
    """Return minor units, written as text, with the decimals of their currency."""
    return format_minor(int(minor), currency) if minor and currency else ""
