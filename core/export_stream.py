"""A list as a CSV file: read by key in portions and sent as it is read; its length costs no memory."""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from threading import BoundedSemaphore
from typing import Any

from django.db import close_old_connections
from django.db.models import QuerySet

from core.errors import DomainError
from core.export_columns import Column, row_cells

__all__ = ["PORTION", "Export", "ExportBusy"]

# Rows of one query. Each portion is a short query of its own: no transaction stays open behind a slow reader,
# and the time-out of a statement holds for every portion.
PORTION = 1000
# A file keeps one thread of the web process as long as it is read; the others must stay free for payments.
_AT_ONCE = 2
_slots = BoundedSemaphore(_AT_ONCE)


class ExportBusy(DomainError):
    code = "export_busy"
    status = 429
    message = "Other files are being written. Try again when one of them is complete."


class Export:
    """The bytes of a file: a header at once, then the rows of `rows` (ordered by -pk), portion by portion.

    `prepare` is given each portion. `begin()` is called when there is room for the file, and
    `end(what begin returned, rows, is_whole)` once when it is over, whether it was read to its end or not.
    Newest first: rows that arrive meanwhile are not in the file. Raises ExportBusy.
    """

    def __init__(
        self,
        rows: QuerySet[Any],
        columns: Sequence[Column],
        *,
        prepare: Callable[[list[Any]], None],
        begin: Callable[[], int],
        end: Callable[[int, int, bool], None],
    ) -> None:
        if not _slots.acquire(blocking=False):
            raise ExportBusy
        try:
            self._number = begin()
        except BaseException:
            _slots.release()
            raise
        self._rows, self._columns, self._prepare, self._end = rows, columns, prepare, end
        self._written, self._is_whole, self._is_open = 0, False, True
        self._pieces = self._read()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next piece. At the end, or when a portion fails, the file is closed."""
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Say how it ended and make room for the next; the server calls this also when the reader is gone."""
        if not self._is_open:
            return
        self._is_open = False
        _slots.release()
        self._end(self._number, self._written, self._is_whole)
        close_old_connections()

    def _read(self) -> Iterator[bytes]:
        yield _lines([[each.name for each in self._columns]])
        page = self._rows
        while True:
            found = list(page[:PORTION])
            self._prepare(found)
            piece = _lines([row_cells(self._columns, row) for row in found])
            # The connection goes back while the reader takes what was read.
            close_old_connections()
            self._written += len(found)
            if found:
                yield piece
            if len(found) < PORTION:
                self._is_whole = True
                return
            page = self._rows.filter(pk__lt=found[-1].pk)


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()
