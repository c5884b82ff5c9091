"""Cells of CSV files that people open in a spreadsheet (FAULTS A-F4)."""

__all__ = ["text_cell"]

# What spreadsheets take for the beginning of a formula; in full width as well, as some of them read it.
_FULL_WIDTH = "".join(chr(ord(sign) + 0xFEE0) for sign in "=+-@")
_FORMULA = frozenset("=+-@\t\r\n|%" + _FULL_WIDTH)


def text_cell(text: str) -> str:
    """Return text that others chose so that no spreadsheet takes it for a formula.

    What begins as one is written behind an apostrophe, which makes it text. Not for amounts: a number below
    zero is no formula. Source: OWASP, CSV Injection.
    """
    begins = text.lstrip(" \u00a0\ufeff\u200b")[:1] or text[:1]
    return f"'{text}" if begins in _FORMULA else text
