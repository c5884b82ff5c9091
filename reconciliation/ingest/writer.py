"""Chunks of lines on their way into the database, one behind the parser.

Each chunk is one short transaction that checks the claim, writes the lines and says how far staging has come.
While a chunk is on its way the next one is parsed; a file of one chunk needs no second connection.
"""

import re
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

from django.db import DataError, connection
from psycopg.types.numeric import Int4

from core.drain import Claim
from core.failpoints import failpoint
from core.transactions import at_edge, requires_transaction
from reconciliation.formats.contract import Refused

__all__ = ["CHUNK_LINES", "LEASE_SECONDS", "Overtaken", "Writer", "keep_claim"]

CHUNK_LINES = 20_000
# Renewed with every chunk, and while lines that are staged already are read over.
LEASE_SECONDS = 120
_WHERE = re.compile(r"line (\d+)(?:, column (\w+))?")


class Overtaken(Exception):
    """Another worker has a newer claim, or the file is not being staged any more: stop without a word."""


def make_executor() -> Executor:
    """Return what chunks are written by, beside the parser."""
    return ThreadPoolExecutor(1, thread_name_prefix="settlement_lines")


class Writer:
    """Takes rows of COPY; `staged` is how many lines of the file are in the database before the first one."""

    def __init__(self, *, claim: Claim, copy: str, staged: int) -> None:
        self._claim, self._copy, self._staged = claim, copy, staged
        self._rows: list[str] = []
        self._executor: Executor | None = None
        self._running: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._executor is not None:
            if self._running is not None:
                self._running.exception()
            self._executor.submit(lambda: connection.close()).result()
            self._executor.shutdown()

    def put(self, row: str) -> None:
        """Add one row. Raises Overtaken, Refused (a value that no column can hold)."""
        rows = self._rows
        rows.append(row)
        if len(rows) >= CHUNK_LINES:
            self._executor = self._executor or make_executor()
            self._wait()
            self._running = self._executor.submit(self._write, rows, self._staged)
            self._staged += len(rows)
            self._rows = []

    def finish(self) -> int:
        """Write what is left; return how many lines of the file are staged. Raises as `put`."""
        self._wait()
        if self._rows:
            write = self._write
            if self._executor is not None:
                self._executor.submit(write, self._rows, self._staged).result()
            else:
                write(self._rows, self._staged)
            self._staged += len(self._rows)
            self._rows = []
        return self._staged

    def _wait(self) -> None:
        if self._running is not None:
            running, self._running = self._running, None
            running.result()

    def _write(self, rows: list[str], staged: int) -> None:
        content = "".join(rows).encode()
        if b"\0" in content:
            place = next(n for n, row in enumerate(rows) if "\0" in row)
            raise Refused("character_invalid", "a text holds a NUL character", _line_no(rows[place]))
        try:
            write_chunk(self._claim, self._copy, content, before=staged, after=staged + len(rows))
            failpoint("settlement_files.after_chunk")
        except DataError as error:
            raise _refusal(error, rows) from error


@at_edge
def write_chunk(claim: Claim, copy: str, content: bytes, *, before: int, after: int) -> None:
    """Write one chunk, if the claim is still the newest and nobody else wrote meanwhile."""
    failpoint("settlement_files.before_chunk")
    with connection.cursor() as cursor:
        # What a crash of the server takes back is staged again. The commit that publishes the file waits for
        # the disk, and everything before it is there with it.
        cursor.execute("SET LOCAL synchronous_commit = off")
    keep_claim(claim, before=before, after=after)
    with connection.wrap_database_errors, connection.cursor() as cursor, cursor.copy(copy) as lines:
        lines.write(content)
    failpoint("settlement_files.chunk")


@requires_transaction
def keep_claim(claim: Claim, *, before: int, after: int) -> None:
    """Renew the lease of a file that is being staged, and note how far staging has come.

    Raises Overtaken when it is not ours any more, or not as far as `before`.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE reconciliation_settlementfile SET staged_lines = %s, leased_until = clock_timestamp()"
            " + %s * interval '1 second' WHERE id = %s AND fence = %s AND staged_lines = %s"
            " AND status IN ('STAGING') AND due_at IS NOT NULL",
            [Int4(after), Int4(LEASE_SECONDS), claim.id, claim.fence, Int4(before)],
        )
        if cursor.rowcount != 1:
            raise Overtaken


def _refusal(error: DataError, rows: list[str]) -> Refused:
    """What PostgreSQL cannot hold, told with the line of the file that it is in."""
    diagnosis: Any = getattr(error.__cause__, "diag", None)
    found = _WHERE.search(getattr(diagnosis, "context", None) or "")
    place = int(found.group(1)) - 1 if found else -1
    column = (found.group(2) if found else None) or "a value"
    line_no = _line_no(rows[place]) if 0 <= place < len(rows) else None
    return Refused("value_too_large", f"{column} is more than can be kept", line_no)


def _line_no(row: str) -> int:
    return int(row.split("\t", 2)[1])
