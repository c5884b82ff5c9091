"""The report of a day as PDF, for whoever files it."""

import io
from datetime import UTC, datetime

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4, landscape
from reportlab.pdfgen.canvas import Canvas

from core.pdf_text import BOLD, SANS, cut_to, draw, width
from reconciliation.closing.report import Section, Table, report_sections
from reconciliation.closing.types import DayData

__all__ = ["report_pdf"]

_WIDTH, _HEIGHT = landscape(A4)
_LEFT, _RIGHT = 36, _WIDTH - 36
_TOP, _BOTTOM = _HEIGHT - 48, 54
_ROW, _SIZE, _SMALL, _GAP = 12, 7.5, 7, 8
_GREY, _BLACK = HexColor(0x666666), HexColor(0)
# A cell is cut where it would leave the others no room.
_WIDEST = 300


def report_pdf(close: DayData, *, merchant: str, mode: str, prepared_by: str, signed_by: str) -> bytes:
    """Return the report of a prepared or closed day, with the digest of its figures on every page.

    The names are of the people as the reader knows them. The same day is the same bytes whenever it is made.
    """
    sections = report_sections(close.figures)
    # Twice, because every page says of how many it is one.
    counting = _Paper(Canvas(io.BytesIO(), pagesize=(_WIDTH, _HEIGHT), invariant=True), close, 0)
    counting.write(merchant, mode, prepared_by, signed_by, sections)
    out = io.BytesIO()
    paper = _Paper(Canvas(out, pagesize=(_WIDTH, _HEIGHT), invariant=True), close, counting.pages)
    paper.write(merchant, mode, prepared_by, signed_by, sections)
    paper.save()
    return out.getvalue()


class _Paper:
    """Pages under way, and how far down the last one is written."""

    def __init__(self, canvas: Canvas, close: DayData, of: int) -> None:
        self._canvas, self._close, self._of = canvas, close, of
        self.pages, self._y = 1, _TOP

    def write(
        self, merchant: str, mode: str, prepared_by: str, signed_by: str, sections: list[Section]
    ) -> None:
        """Write everything: what it is, then part after part."""
        self._head(merchant, mode, prepared_by, signed_by)
        for section in sections:
            self._section(section)
        self._foot()

    def save(self) -> None:
        """Finish the document."""
        self._canvas.save()

    def _head(self, merchant: str, mode: str, prepared_by: str, signed_by: str) -> None:
        close = self._close
        self._canvas.setTitle(f"Close of {close.day}")
        self._canvas.setAuthor(merchant)
        self._text(_LEFT, f"Close of {close.day}", size=16, font=BOLD)
        if mode != "live":
            self._right(_RIGHT, "TEST MODE, NO REAL MONEY", font=BOLD)
        self._down(26)
        signed = f"{signed_by}, {_moment(close.closed_at)}" if close.closed_at else "not signed yet"
        rows = (
            ("Store", merchant),
            ("Prepared by", f"{prepared_by}, {_moment(close.prepared_at)}"),
            ("Signed by", signed),
            ("SHA-256 of the figures", close.digest),
        )
        for label, value in rows:
            self._text(_LEFT, label, ink=_GREY)
            self._text(_LEFT + 130, cut_to(_RIGHT - _LEFT - 130, value, size=_SIZE))
            self._down(_ROW)

    def _section(self, section: Section) -> None:
        self._down(_ROW)
        self._room(4 * _ROW)
        self._text(_LEFT, section.title, size=10, font=BOLD)
        self._down(_ROW)
        if section.note:
            self._text(_LEFT, section.note, size=_SMALL, ink=_GREY)
            self._down(_ROW)
        if not section.table.rows:
            self._text(_LEFT, section.empty, ink=_GREY)
            self._down(_ROW)
            return
        widths = _widths(section.table)
        self._columns(section.table, widths)
        for row in section.table.rows:
            if self._y < _BOTTOM:
                self._turn()
                self._columns(section.table, widths)
            self._cells(section.table, widths, row, font=SANS)

    def _columns(self, table: Table, widths: list[float]) -> None:
        if not any(table.columns):
            return
        self._cells(table, widths, table.columns, font=BOLD)
        self._canvas.setLineWidth(0.5)
        line = self._y + _ROW - 3
        self._canvas.line(_LEFT, line, _LEFT + sum(widths) + _GAP * (len(widths) - 1), line)

    def _cells(self, table: Table, widths: list[float], row: tuple[str, ...], *, font: str) -> None:
        x: float = _LEFT
        for place, (cell, room) in enumerate(zip(row, widths, strict=True)):
            shown = cut_to(room + 0.1, cell, size=_SIZE)
            if place in table.numbers:
                self._right(x + room, shown, font=font)
            else:
                self._text(x, shown, font=font)
            x += room + _GAP
        self._down(_ROW)

    def _room(self, points: float) -> None:
        if self._y - points < _BOTTOM:
            self._turn()

    def _turn(self) -> None:
        self._foot()
        self._canvas.showPage()
        self.pages += 1
        self._y = _TOP

    def _foot(self) -> None:
        self._y = _BOTTOM - 24
        self._text(_LEFT, f"Close of {self._close.day} · {self._close.digest}", size=_SMALL, ink=_GREY)
        self._right(_RIGHT, f"Page {self.pages} of {self._of}", size=_SMALL, ink=_GREY)

    def _text(
        self, x: float, text: str, *, size: float = _SIZE, font: str = SANS, ink: Color = _BLACK
    ) -> None:
        self._canvas.setFillColor(ink)
        draw(self._canvas, x, self._y, text, size=size, font=font)

    def _right(
        self, x: float, text: str, *, size: float = _SIZE, font: str = SANS, ink: Color = _BLACK
    ) -> None:
        self._text(x - width(text, size=size, font=font), text, size=size, font=font, ink=ink)

    def _down(self, points: float) -> None:
        self._y -= points


def _widths(table: Table) -> list[float]:
    """As wide as the widest cell; numbers are never cut, texts share what is left."""
    wanted = [
        max(width(name, size=_SIZE, font=BOLD), *(width(row[place], size=_SIZE) for row in table.rows))
        for place, name in enumerate(table.columns)
    ]
    wanted = [each if place in table.numbers else min(each, _WIDEST) for place, each in enumerate(wanted)]
    room = _RIGHT - _LEFT - _GAP * (len(wanted) - 1)
    over = sum(wanted) - room
    texts = [place for place in range(len(wanted)) if place not in table.numbers]
    # The widest text gives way first.
    while over > 0.5 and texts:
        place = max(texts, key=lambda each: wanted[each])
        if wanted[place] < 24:
            break
        step = min(over, max(wanted[place] * 0.1, 1.0))
        wanted[place] -= step
        over -= step
    return wanted


def _moment(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if at else ""
