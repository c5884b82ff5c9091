"""Statements sent without waiting for each answer, in a way that the server's time-outs survive."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.generators import PQGen, send
from psycopg.pq import ConnStatus

__all__ = ["pipeline"]


class _Synced(psycopg.Pipeline):
    """A pipeline that sends everything at its end in one go, and whose last word to the server is Sync.

    The driver's own sends each command by itself: as many system calls, and as often the server wakes up.

    It also ends with Sync and then Flush. The server answers Sync with "ready", and there its clock for
    idle_in_transaction_session_timeout starts; Flush is a message like any other and stops it again. A
    process that stood still after such a pipeline would hold its locks for ever.
    """

    def _communicate_gen(self) -> PQGen[None]:
        """Called after each command, which waits for the others."""
        return
        yield

    def _sync_gen(self) -> PQGen[None]:
        self._enqueue_sync()
        while self.command_queue:
            self.command_queue.popleft()()  # Into the buffer of the connection.
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)

    def _exit_gen(self) -> PQGen[None]:
        try:
            yield from self._sync_gen()
        except psycopg.Error:
            # From a lost session nothing is fetched; trying would hide its OperationalError behind another.
            if self.pgconn.status != ConnStatus.BAD:
                yield from self._fetch_gen(flush=False)
            raise


@contextmanager
def pipeline(raw: "psycopg.Connection[Any]") -> Iterator[None]:
    """Send what is executed inside together; at its end every answer is there, or the first error raised."""
    if raw._pipeline is None:
        raw._pipeline = _Synced(raw)
    with raw.pipeline():
        yield
