"""The report of a day as CSV, for whoever works on with it."""

import csv
import io
from collections.abc import Iterator, Sequence

from core.csv_cells import text_cell
from reconciliation.closing.report import Section, report_sections
from reconciliation.closing.types import DayData

__all__ = ["report_csv"]

_STATES = {"PREPARED": "prepared, not signed", "CLOSED": "closed"}


def report_csv(close: DayData, *, merchant: str) -> Iterator[str]:
    """Yield the report of a prepared or closed day piece by piece: first what it is, then table after table.

    Every line begins with the name of its part. Texts are written so that no spreadsheet takes them for
    formulas; amounts have exactly the decimals of their currency.
    """
    facts = [
        ("report", "Merchant", text_cell(merchant)),
        ("report", "Day", close.day.isoformat()),
        ("report", "State", _STATES.get(close.status, close.status.lower())),
        ("report", "Prepared by", text_cell(close.prepared_by)),
        ("report", "Signed by", text_cell(close.closed_by)),
        ("report", "SHA-256 of the figures", close.digest),
    ]
    yield _lines(facts)
    for section in report_sections(close.figures):
        yield _lines(_part(section))


def _part(section: Section) -> list[Sequence[str]]:
    table = section.table
    return [
        (section.name, *table.columns),
        *(
            (
                section.name,
                *(cell if n in table.numbers else text_cell(cell) for n, cell in enumerate(row)),
            )
            for row in table.rows
        ),
    ]


def _lines(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()
