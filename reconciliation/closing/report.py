"""The report of a day as tables of text: the page, the CSV and the PDF are all made from these.

Everything comes from the frozen figures, so that a closed day's report is the same whenever it is made. The
report is in English whoever reads it.
"""

from reconciliation.closing.report_books import books_sections
from reconciliation.closing.report_noted import noted_sections
from reconciliation.closing.report_tables import Figures, Section, Table, table

__all__ = ["Section", "Table", "report_sections"]


def report_sections(figures: Figures) -> list[Section]:
    """Return all parts of a day's report, in their order. Amounts have the decimals of their currency."""
    return [*books_sections(figures["books"]), *noted_sections(figures["noted"]), _notices(figures)]


def _notices(figures: Figures) -> Section:
    rows = [(each["says"],) for each in figures.get("notices", ())]
    return Section("notices", "To know", table(("",), rows), "Nothing else.")
