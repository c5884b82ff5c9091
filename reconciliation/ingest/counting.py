"""What was staged, counted where it lies, and compared with what the file says of itself.

The database counts, not the reader: a figure holds for the lines that will be published, however often
staging was interrupted. Sums never cross currencies.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection

from core.money import format_minor
from core.transactions import requires_transaction
from reconciliation.formats.contract import Control, Refused
from reconciliation.ingest.rows import first_id
from reconciliation.models import LINE_BITS

__all__ = ["Counted", "batch_nets", "check", "count_entries", "count_lines", "ids_of", "paid_nets"]

_SIGNED = (
    "coalesce(sum({0}), 0), coalesce(sum({0}) FILTER (WHERE {0} > 0), 0),"
    " coalesce(-sum({0}) FILTER (WHERE {0} < 0), 0)"
)
_LINES = f"""
    SELECT currency, count(*), count(*) FILTER (WHERE quarantine <> ''), min(business_date),
        max(business_date), count(*) FILTER (WHERE net_minor > 0), count(*) FILTER (WHERE net_minor < 0),
        {_SIGNED.format("gross_minor")}, {_SIGNED.format("fee_minor")}, {_SIGNED.format("net_minor")}
    FROM reconciliation_settlementline WHERE id BETWEEN %s AND %s GROUP BY currency
"""  # noqa: S608 - built from constants
# Details of a collective booking are lines, but count in nothing.
_ENTRIES = """
    SELECT statement_id, max(currency), count(*), count(*) FILTER (WHERE quarantine <> ''), min(booked_on),
        max(booked_on), count(*) FILTER (WHERE amount_minor > 0 AND parent IS NULL),
        count(*) FILTER (WHERE amount_minor < 0 AND parent IS NULL),
        coalesce(sum(amount_minor) FILTER (WHERE parent IS NULL), 0),
        coalesce(sum(amount_minor) FILTER (WHERE parent IS NULL AND amount_minor > 0), 0),
        coalesce(-sum(amount_minor) FILTER (WHERE parent IS NULL AND amount_minor < 0), 0),
        count(*) FILTER (WHERE parent IS NULL)
    FROM reconciliation_bankline WHERE id BETWEEN %s AND %s GROUP BY statement_id
"""
_BATCHES = """
    SELECT batch, currency, sum(net_minor) FROM reconciliation_settlementline
    WHERE id BETWEEN %s AND %s GROUP BY batch, currency
"""
# What a payout is made of, without itself.
_PAID = """
    SELECT batch, currency, sum(net_minor) FROM reconciliation_settlementline
    WHERE id BETWEEN %s AND %s AND batch <> '' AND kind NOT IN ('payout', 'payout_reversal')
    GROUP BY batch, currency
"""
_COUNTS = ("lines", "credit_count", "debit_count")


@dataclass(frozen=True)
class Counted:
    """The lines of one currency; `figures` by the names that a Control has, in minor units or numbers.

    `rows` is how many lines there are, with those that count in nothing.
    """

    rows: int
    quarantined: int
    first: date
    last: date
    figures: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """What is kept with the file."""
        return dict(self.figures)


def ids_of(number: int) -> tuple[int, int]:
    """Return the first and the last id that lines of a file may have, given its number."""
    return first_id(number), first_id(number) + (1 << LINE_BITS) - 1


@requires_transaction
def count_lines(number: int) -> dict[str, Counted]:
    """Count the staged settlement lines of a file, by currency."""
    return {
        currency: Counted(
            rows,
            quarantined,
            first,
            last,
            dict(
                zip(
                    (
                        *("credit_count", "debit_count", "gross", "gross_credits", "gross_debits"),
                        # Of fees, a debit is what the merchant pays.
                        *("fee", "fee_debits", "fee_credits", "net", "credits", "debits"),
                    ),
                    map(int, figures),
                    strict=True,
                )
            )
            | {"lines": rows},
        )
        for currency, rows, quarantined, first, last, *figures in _rows(_LINES, number)
    }


@requires_transaction
def count_entries(number: int) -> dict[UUID, Counted]:
    """Count the staged bank entries of a file, by statement; one statement has one currency."""
    names = ("credit_count", "debit_count", "net", "credits", "debits", "lines")
    return {
        statement_id: Counted(
            rows, quarantined, first, last, dict(zip(names, map(int, figures), strict=True))
        )
        for statement_id, _currency, rows, quarantined, first, last, *figures in _rows(_ENTRIES, number)
    }


@requires_transaction
def batch_nets(number: int) -> dict[tuple[str, str], int]:
    """Return the net of every batch that staged lines name, by batch and currency."""
    return {(batch, currency): int(net) for batch, currency, net in _rows(_BATCHES, number)}


@requires_transaction
def paid_nets(number: int) -> dict[tuple[str, str], int]:
    """Return the net of the lines that each payout pays, without the payout's own, by batch and currency."""
    return {(batch, currency): int(net) for batch, currency, net in _rows(_PAID, number)}


def check(
    controls: Iterable[Control],
    counted: Mapping[str, Counted],
    batches: Mapping[tuple[str, str], int] | None = None,
) -> None:
    """Compare what a file declares with what was counted by currency. Raises Refused: `control_mismatch`.

    Figures about other files as well are left to whoever has all of them.
    """
    for control in controls:
        if control.scope and control.what != "batch_net":
            continue
        found = _found(control, counted, batches or {})
        if found != control.value:
            raise Refused(
                "control_mismatch",
                f"the file declares {_shown(control, control.value)} as {_named(control)},"
                f" its lines give {_shown(control, found)}",
                control.line_no,
            )


def _found(control: Control, counted: Mapping[str, Counted], batches: Mapping[tuple[str, str], int]) -> int:
    currency = control.currency or (next(iter(counted)) if len(counted) == 1 else "")
    if control.what == "batch_net":
        return batches.get((control.scope, currency), 0)
    if control.what in _COUNTS and not control.currency:
        return sum(each.figures[control.what] for each in counted.values())
    if not currency and counted:
        raise Refused(
            "control_mismatch",
            f"the file declares one {_named(control)} for lines in {', '.join(sorted(counted))}",
            control.line_no,
        )
    return counted[currency].figures[control.what] if currency in counted else 0


def _named(control: Control) -> str:
    return control.what.replace("_", " ") + (f" {control.scope}" if control.scope else "")


def _shown(control: Control, value: int) -> str:
    if control.what in _COUNTS or not control.currency:
        return str(value)
    return f"{format_minor(value, control.currency)} {control.currency}"


def _rows(sql: str, number: int) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        # Ten million lines are counted in one go; still well below what a transaction may last.
        cursor.execute("SET LOCAL statement_timeout = '25s'")
        cursor.execute(sql, ids_of(number))
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows
