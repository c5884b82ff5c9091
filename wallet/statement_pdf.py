"""A wallet's statement as PDF, for people who file it or send it on."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from core.ids import public_id
from core.money import format_minor
from core.pdf_text import BOLD, SANS, cut_to, draw, width
from wallet.types import OperationData, Statement

__all__ = ["Heading", "statement_pdf"]

_WIDTH, _HEIGHT = A4
_LEFT, _RIGHT = 48, _WIDTH - 48
_TOP, _BOTTOM = _HEIGHT - 56, 64
_ROW, _NOTE, _SIZE, _SMALL = 14, 9, 8, 7
_GREY, _BLACK = HexColor(0x666666), HexColor(0)
# Where columns begin; those of amounts say where they end.
_TIME, _BUCKET, _ACCOUNT, _ENTRY = _LEFT, 140, 190, 280
_AMOUNT, _BALANCE = 442, _RIGHT
_SUMS = (220, 329, 438, _RIGHT)


@dataclass(frozen=True)
class Heading:
    """Whose statement it is: the names of the store and of the owner of the wallet, and the store's mode."""

    merchant: str
    mode: str
    owner: str
    account: str


def statement_pdf(statement: Statement, heading: Heading) -> bytes:
    """Return the statement: whose and of which time, per bucket the sums, then every movement.

    The same statement is the same bytes whenever it is made. Amounts have exactly the decimals of the
    currency.
    """
    out = io.BytesIO()
    paper = _Paper(Canvas(out, pagesize=A4, invariant=True), statement, heading)
    paper.begin()
    paper.sums()
    paper.lines()
    paper.end()
    return out.getvalue()


class _Paper:
    """Pages under way, and how far down the last one is written."""

    def __init__(self, canvas: Canvas, statement: Statement, heading: Heading) -> None:
        self._canvas, self._statement, self._heading = canvas, statement, heading
        self._currency = statement.wallet.currency
        self._page, self._y = 1, _TOP

    def begin(self) -> None:
        """Say what it is."""
        found, names = self._statement, self._heading
        self._canvas.setTitle("Wallet statement")
        self._canvas.setAuthor(names.merchant)
        self._text(_LEFT, "Wallet statement", size=16, font=BOLD)
        if names.mode != "live":
            self._right(_RIGHT, "TEST MODE, NO REAL MONEY", size=_SIZE, font=BOLD)
        self._down(30)
        wallet = found.wallet
        rows = [
            ("Store", names.merchant),
            (wallet.owner_type.capitalize(), names.owner),
            ("Account", names.account),
            ("Wallet", public_id("wal", wallet.id)),
            ("Currency", f"{self._currency}, {wallet.kind}"),
            ("From", _moment(found.since)),
            ("Until before", _moment(found.until)),
        ]
        for label, value in rows:
            if value:
                self._text(_LEFT, label, ink=_GREY)
                self._text(_BUCKET, cut_to(_RIGHT - _BUCKET, value, size=_SIZE))
                self._down(_ROW)
        self._down(_ROW)

    def sums(self) -> None:
        """Per bucket: opening, what came in, what went out, closing; then what it was for."""
        found = self._statement
        self._text(_LEFT, "Bucket", font=BOLD)
        for x, label in zip(_SUMS, ("Opening", "In", "Out", "Closing"), strict=True):
            self._right(x, label, font=BOLD)
        self._rule()
        for bucket, opening in found.opening.items():
            moved = [line.delta_minor for line in found.lines if line.bucket == bucket]
            gained, lost = sum(each for each in moved if each > 0), sum(each for each in moved if each < 0)
            self._text(_LEFT, bucket)
            for x, minor in zip(_SUMS, (opening, gained, lost, found.closing[bucket]), strict=True):
                self._right(x, self._amount(minor))
            self._down(_ROW)
        self._down(_ROW)
        if found.totals:
            self._totals()

    def _totals(self) -> None:
        found = self._statement
        self._text(_LEFT, "What it was for", font=BOLD)
        self._right(_SUMS[0], "Amount", font=BOLD)
        self._rule()
        parts = [("opening", found.opening_minor), *found.totals.items(), ("closing", found.closing_minor)]
        for name, minor in parts:
            self._text(_LEFT, name.capitalize())
            self._right(_SUMS[0], self._amount(minor))
            self._down(_ROW)
        self._down(_ROW)

    def lines(self) -> None:
        """Every movement in order, with what its bucket held after it."""
        self._columns()
        for line in self._statement.lines:
            if self._y < _BOTTOM:
                self._turn()
                self._columns()
            self._line(line)

    def end(self) -> None:
        """Say that nothing is missing, and finish the document."""
        if self._y < _BOTTOM:
            self._turn()
        count = len(self._statement.lines)
        self._text(_LEFT, f"End of the statement. Movements: {count}.", ink=_GREY)
        self._foot()
        self._canvas.save()

    def _columns(self) -> None:
        names = ("Time (UTC)", "Bucket", "Account", "Entry")
        for x, label in zip((_TIME, _BUCKET, _ACCOUNT, _ENTRY), names, strict=True):
            self._text(x, label, font=BOLD)
        self._right(_AMOUNT, "Amount", font=BOLD)
        self._right(_BALANCE, "Balance", font=BOLD)
        self._rule()

    def _line(self, line: OperationData) -> None:
        cells: Sequence[tuple[float, str]] = (
            (_TIME, f"{line.recorded_at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"),
            (_BUCKET, line.bucket),
            (_ACCOUNT, line.role),
            (_ENTRY, str(line.entry_id)),
        )
        for x, text in cells:
            self._text(x, text)
        self._right(_AMOUNT, self._amount(line.delta_minor))
        self._right(_BALANCE, self._amount(line.balance_after_minor))
        if line.reference:
            self._down(_NOTE)
            words = f"{line.what.replace('_', ' ')} · {line.reference}"
            self._text(_BUCKET, cut_to(_AMOUNT - _BUCKET, words, size=_SMALL), size=_SMALL, ink=_GREY)
        self._down(_ROW)

    def _turn(self) -> None:
        self._foot()
        self._canvas.showPage()
        self._page += 1
        self._y = _TOP

    def _foot(self) -> None:
        self._y = _BOTTOM - 28
        self._text(_LEFT, public_id("wal", self._statement.wallet.id), size=_SMALL, ink=_GREY)
        self._right(_RIGHT, f"Page {self._page}", size=_SMALL, ink=_GREY)

    def _rule(self) -> None:
        self._canvas.setLineWidth(1)
        self._canvas.line(_LEFT, self._y - 4, _RIGHT, self._y - 4)
        self._down(_ROW + 2)

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

    def _amount(self, minor: int) -> str:
        return format_minor(minor, self._currency)


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
