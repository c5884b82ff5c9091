"""Reading a body with a bank's format, adding it up another way than the importer does, and sample files."""

import os
import re
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from reconciliation.formats.contract import Document, Entry, Format, Item, ReadOptions, Refused, Totals

__all__ = ["Statement", "index", "options", "read", "refusal", "refused_or_whole", "samples", "statements_of"]


class Statement(NamedTuple):
    """One statement: what a format yields between a Document and its Totals."""

    document: Document
    entries: list[Entry]
    totals: Totals

    @property
    def booked(self) -> list[Entry]:
        """The entries that move the balance."""
        return [entry for entry in self.entries if entry.parent is None]

    @property
    def details(self) -> list[Entry]:
        """What is inside collective bookings."""
        return [entry for entry in self.entries if entry.parent is not None]

    @property
    def adds_up(self) -> bool:
        """Whether opening and entries come to the closing balance."""
        moved = sum(entry.amount_minor for entry in self.booked)
        return (self.document.opening_minor or 0) + moved == self.totals.closing_minor


def options(**given: Any) -> ReadOptions:
    """What a source of a bank in Berlin tells its reader."""
    return ReadOptions(**{"name": "file", "encoding": "utf-8", "time_zone": "Europe/Berlin"} | given)


def statements_of(items: Iterable[Item]) -> Iterator[Statement]:
    """Group what a format yields; everything has to be in its place, and `line_no` to grow."""
    document: Document | None = None
    entries: list[Entry] = []
    last = 0
    for item in items:
        if isinstance(item, Document):
            assert document is None
            document, entries = item, []
        elif isinstance(item, Entry):
            assert document is not None
            assert item.line_no > last
            assert item.parent is None or item.parent in {entry.line_no for entry in entries}
            last = item.line_no
            entries.append(item)
        else:
            assert isinstance(item, Totals)
            assert document is not None
            yield Statement(document, entries, item)
            document = None
    assert document is None


def read(known: Format, body: bytes, **given: Any) -> list[Statement]:
    """Read a whole file."""
    return list(statements_of(known.read(BytesIO(body), options(**given))))


def refusal(known: Format, body: bytes, **given: Any) -> tuple[str, int | None]:
    """Return the code and the line that a file is refused with."""
    with pytest.raises(Refused) as caught:
        read(known, body, **given)
    assert caught.value.message
    return caught.value.code, caught.value.line_no


def refused_or_whole(known: Format, body: bytes, whole: list[Statement]) -> bool:
    """Whether a damaged file is refused, does not add up, or says all that the whole one said (F-H1)."""
    try:
        found = read(known, body)
    except Refused:
        return True
    return found == whole or not all(statement.adds_up for statement in found)


def samples(folder: str) -> Path:
    """Return a folder of files from elsewhere; skip where they are not."""
    root = os.environ.get("QUITTANCE_SAMPLES", "")
    path = Path(root) / folder
    if not root or not path.is_dir():
        pytest.skip("needs QUITTANCE_SAMPLES: a folder of sample files from elsewhere")
    return path


def index(folder: str) -> dict[str, str]:
    """What the list of a folder says that each of its files shows."""
    rows = re.findall(
        r"^\| (\S+\.\S+) \|[^|]*\|[^|]*\| ([^|]*) \|",
        (samples(folder) / "INDEX.md").read_text("utf-8"),
        re.MULTILINE,
    )
    return dict(rows)
