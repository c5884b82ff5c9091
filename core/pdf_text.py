"""Text in PDF documents, in the script in which people write their names.

The font that comes with the product covers Latin, Greek, Cyrillic, Armenian, Georgian, Hebrew and Arabic.
Chinese, Japanese and Korean are left to the fonts that every reader of PDF has for them. What neither covers
is drawn as the sign for an unknown character, so a document names people by more than their name.
"""

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from arabic_reshaper import reshape
from bidi.algorithm import get_display
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

__all__ = ["BOLD", "SANS", "cut_to", "draw", "runs", "width"]

SANS, BOLD = "DejaVuSans", "VeraBd"
_FILE = Path(__file__).parent / "fonts" / "DejaVuSans.ttf"
_CHINESE, _JAPANESE, _KOREAN = "STSong-Light", "HeiseiKakuGo-W5", "HYGothic-Medium"
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
_KANA = range(0x3040, 0x3100)
_HANGUL = range(0xAC00, 0xD7A4)
# Han, with the punctuation and the full-width forms that stand between.
_HAN = (range(0x3000, 0x3040), range(0x3400, 0xA000), range(0xF900, 0xFB00), range(0xFF01, 0xFFE7))


def draw(canvas: Canvas, x: float, y: float, text: str, *, size: float, font: str = SANS) -> None:
    """Draw one line of text that begins at x; `font` is for what it covers, the rest finds its own."""
    for name, part in runs(text, font):
        canvas.setFont(name, size)
        canvas.drawString(x, y, part)
        x += pdfmetrics.stringWidth(part, name, size)


def width(text: str, *, size: float, font: str = SANS) -> float:
    """Return how wide a line of text is drawn."""
    return float(sum(pdfmetrics.stringWidth(part, name, size) for name, part in runs(text, font)))


def cut_to(room: float, text: str, *, size: float) -> str:
    """Return the text, or as much of its beginning as fits into the room, with an ellipsis."""
    if width(text, size=size) <= room:
        return text
    kept = len(text)
    while kept and width(f"{text[:kept]}…", size=size) > room:
        kept -= 1
    return f"{text[:kept]}…"


def runs(text: str, font: str) -> Iterator[tuple[str, str]]:
    """Yield the text from left to right as it is seen, in pieces of one font each: (font, piece)."""
    if text.isascii():
        _covered(font)
        yield font, text
        return
    seen = get_display(reshape(text))
    asian = _asian_font(text)
    placed = [(_font_of(char, font, asian), char) for char in seen]
    for name, group in groupby(placed, key=lambda each: each[0] or SANS):
        yield name, "".join(char if known else _UNKNOWN for known, char in group)


def _font_of(char: str, font: str, asian: str) -> str:
    """The font that has the character; none has it when it is empty."""
    number = ord(char)
    for name in (font, SANS):
        if number in _covered(name):
            return name
    is_asian = number in _KANA or number in _HANGUL or any(number in span for span in _HAN)
    return asian if is_asian else ""


def _asian_font(text: str) -> str:
    """Han is drawn as the language of the text does, by the letters that stand beside it."""
    numbers = [ord(char) for char in text]
    found = _CHINESE
    if any(number in _KANA for number in numbers):
        found = _JAPANESE
    elif any(number in _HANGUL for number in numbers):
        found = _KOREAN
    _register_asian(found)
    return found


@cache
def _covered(font: str) -> frozenset[int]:
    """The characters of a font that is put into the document, which is made known the first time."""
    pdfmetrics.registerFont(TTFont(font, str(_FILE) if font == SANS else f"{font}.ttf"))
    return frozenset(pdfmetrics.getFont(font).face.charToGlyph)


@cache
def _register_asian(font: str) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont(font))
