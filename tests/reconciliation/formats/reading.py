"""Reading a body with a format, and counting what it yields in another way than the importer does."""

import os
from collections import Counter
from collections.abc import Iterable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciliation.formats.contract import Control, Document, Format, Line, ReadOptions, Refused, Totals

NOVEMBER = (date(2026, 11, 1), date(2026, 11, 30))


class Read(NamedTuple):
    """A settlement file: one document, its lines, one end."""

    document: Document
    lines: list[Line]
    totals: Totals


def read(known: Format, body: bytes, **options: Any) -> Read:
    """Read a whole settlement file, asked for November unless told otherwise."""
    first, last = options.pop("asked", NOVEMBER)
    given = {"name": "file.csv", "encoding": "utf-8", "time_zone": "UTC"} | options
    document, *lines, totals = known.read(
        BytesIO(body), ReadOptions(**given, asked_from=first, asked_to=last)
    )
    assert isinstance(document, Document)
    assert isinstance(totals, Totals)
    assert all(isinstance(line, Line) for line in lines)
    numbers = [line.line_no for line in lines]  # type: ignore[union-attr]
    assert numbers == sorted(set(numbers))
    for line in lines:
        assert isinstance(line, Line)
        assert line.gross_minor - line.fee_minor == line.net_minor
        assert (line.raw is not None) or line.kind != "unknown"
    return Read(document, lines, totals)  # type: ignore[arg-type]


def refusal(known: Format, body: bytes, **options: Any) -> tuple[str, int | None]:
    """Return the code and the line that a file is refused with."""
    with pytest.raises(Refused) as caught:
        read(known, body, **options)
    assert caught.value.message
    return caught.value.code, caught.value.line_no


def nets(lines: Iterable[Line]) -> Counter[str]:
    """Sum up what came in, by currency; zero is nothing."""
    found: Counter[str] = Counter()
    for line in lines:
        found[line.currency] += line.net_minor
    return Counter({currency: net for currency, net in found.items() if net})


def figure(control: Control, lines: list[Line]) -> int:
    """Count what a control names."""
    if control.what == "lines":
        return len(lines)
    column, _, side = control.what.partition("_")
    amounts = [getattr(line, f"{column}_minor") for line in lines if line.currency == control.currency]
    if side == "credits":
        # A fee that comes in is a negative fee.
        return sum(abs(each) for each in amounts if (each < 0 if column == "fee" else each > 0))
    if side == "debits":
        return sum(abs(each) for each in amounts if (each > 0 if column == "fee" else each < 0))
    return sum(amounts)


def unfit(file: Read) -> list[Control]:
    """Return the controls that do not fit the lines; those about lines of other files are left out."""
    return [
        control
        for control in file.totals.controls
        if not control.scope and figure(control, file.lines) != control.value
    ]


def sample(folder: str, name: str) -> bytes:
    """Return a sample file; skips where there are none."""
    base = os.environ.get("QUITTANCE_SAMPLES", "")
    path = Path(base) / folder / name
    if not base or not path.is_file():
        pytest.skip("needs QUITTANCE_SAMPLES: a folder of sample files from elsewhere")
    return path.read_bytes()
