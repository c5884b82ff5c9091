"""Rows written as the shape says: encoding mark, line ends, order, packing; a row at a time."""

import csv
from array import array
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from gzip import GzipFile
from io import StringIO, TextIOWrapper
from operator import itemgetter
from random import Random
from tempfile import TemporaryFile
from typing import BinaryIO

from tests.months.options import Shape

__all__ = ["File", "permutation", "write_rows"]

Row = list[str]


@dataclass(frozen=True)
class File:
    """A file that is written when asked to: `write(out)` puts its bytes into a binary file."""

    name: str
    day: date
    write: Callable[[BinaryIO], None]


def permutation(order: str, count: int, rng: Random) -> "array[int]":
    """Return, for each place in the file, which row in the natural order stands there."""
    found = array("I", range(count))
    if order == "reversed":
        found.reverse()
    elif order == "shuffled":
        for place in range(count - 1, 0, -1):
            other = int(rng.random() * (place + 1))
            found[place], found[other] = found[other], found[place]
    return found


def write_rows(
    out: BinaryIO, header: Row, rows: Iterable[Row], shape: Shape, rng: Callable[[str], Random]
) -> None:
    """Write a header and rows as the shape says. `rng` gives a source of chance by name."""
    with _packed(out, shape) as plain:
        if shape.bom:
            plain.write(b"\xef\xbb\xbf")
        pick = itemgetter(*_columns(header, shape, rng("columns")))
        end = "\r\n" if shape.crlf else "\n"
        text = TextIOWrapper(plain, encoding="utf-8", newline="")
        writer = csv.writer(text, lineterminator=end)
        writer.writerow(pick(header))
        if shape.order == "natural":
            writer.writerows(map(pick, rows))
        else:
            text.flush()
            _reordered(plain, map(pick, rows), end, shape.order, rng("rows"))
        text.flush()
        text.detach()


@contextmanager
def _packed(out: BinaryIO, shape: Shape) -> Iterator[BinaryIO]:
    if not shape.gzip:
        yield out
        return
    # No name and no time in the header, or two runs would differ.
    with GzipFile(filename="", mode="wb", fileobj=out, mtime=0, compresslevel=6) as packed:
        yield packed


def _columns(header: Row, shape: Shape, rng: Random) -> "array[int]":
    return permutation("shuffled" if shape.shuffled_columns else "natural", len(header), rng)


def _reordered(out: BinaryIO, rows: Iterable[tuple[str, ...]], end: str, order: str, rng: Random) -> None:
    """Write rows in another order by way of a temporary file; eight bytes a row stay in memory."""
    begins = array("Q", [0])
    buffer = StringIO(newline="")
    writer = csv.writer(buffer, lineterminator=end)
    with TemporaryFile() as spool:
        for row in rows:
            writer.writerow(row)
            begins.append(begins[-1] + spool.write(buffer.getvalue().encode()))
            buffer.seek(0)
            buffer.truncate()
        for place in permutation(order, len(begins) - 1, rng):
            spool.seek(begins[place])
            out.write(spool.read(begins[place + 1] - begins[place]))
