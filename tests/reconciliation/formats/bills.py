"""Bills for tests: written here after the providers' documents, read, and counted by another hand."""

import os
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from reconciliation.formats.contract import (
    Control,
    Document,
    Format,
    Item,
    Line,
    ReadOptions,
    Refused,
    Totals,
)

__all__ = ["counted", "lines_of", "misfits", "read", "refused", "sample", "totals_of"]


def read(form: Format, body: bytes | str, *, encoding: str = "", **options: Any) -> list[Item]:
    """What a format makes of a body; text is written in the format's usual encoding."""
    encoding = encoding or form.encodings[0]
    if isinstance(body, str):
        body = body.encode(encoding)
    return list(form.read(BytesIO(body), ReadOptions("bill.csv", encoding, "Asia/Shanghai", **options)))


def refused(form: Format, body: bytes | str, **options: Any) -> tuple[str, int | None]:
    """With which code, and for which line, a format refuses a body."""
    with pytest.raises(Refused) as caught:
        read(form, body, **options)
    return caught.value.code, caught.value.line_no


def lines_of(items: Iterable[Item]) -> list[Line]:
    """The lines of a settlement file, which is a document, lines, and totals."""
    first, *lines, last = items
    assert isinstance(first, Document) and isinstance(last, Totals)
    assert all(isinstance(line, Line) for line in lines)
    assert all(line.net_minor == line.gross_minor - line.fee_minor for line in lines)  # type: ignore[union-attr]
    return lines  # type: ignore[return-value]


def totals_of(items: list[Item]) -> dict[str, int]:
    """What a file declares about itself, each figure once."""
    assert isinstance(items[-1], Totals)
    controls = items[-1].controls
    assert len({control.what for control in controls}) == len(controls)
    return {control.what: control.value for control in controls}


def counted(lines: list[Line]) -> dict[str, int]:
    """The figures of these lines, of one currency."""
    assert len({line.currency for line in lines}) <= 1
    return {
        "lines": len(lines),
        "gross_credits": sum(line.gross_minor for line in lines if line.gross_minor > 0),
        "gross_debits": -sum(line.gross_minor for line in lines if line.gross_minor < 0),
        "fee": sum(line.fee_minor for line in lines),
        "credits": sum(line.net_minor for line in lines if line.net_minor > 0),
        "debits": -sum(line.net_minor for line in lines if line.net_minor < 0),
        "credit_count": sum(line.net_minor > 0 for line in lines),
        "debit_count": sum(line.net_minor < 0 for line in lines),
    }


def misfits(items: list[Item]) -> dict[str, tuple[int, int]]:
    """The figures that a file declares otherwise than its lines have them: (declared, counted)."""
    found = counted(lines_of(items))
    declared = totals_of(items)
    assert declared, "a bill declares something"
    return {what: (value, found[what]) for what, value in declared.items() if value != found[what]}


def sample(folder: str, name: str) -> bytes:
    """A sample file from elsewhere; skips where there is none."""
    root = os.environ.get("QUITTANCE_SAMPLES", "")
    path = Path(root, folder, name)
    if not root or not path.is_file():
        pytest.skip("needs QUITTANCE_SAMPLES: a folder of sample files from elsewhere")
    return path.read_bytes()


def control(items: list[Item], what: str) -> Control:
    """One declared figure."""
    assert isinstance(items[-1], Totals)
    return next(each for each in items[-1].controls if each.what == what)
