"""Statements sent without waiting for each answer, in a way that the server's time-outs survive."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.generators import PQGen
from psycopg.pq import ConnStatus

__all__ = ["pipeline"]


class _Synced(psycopg.Pipeline):
    """A pipeline whose last word to the server is Sync.

    The driver's own ends with Sync and then Flush. The server answers Sync with "ready", and there its clock
    for idle_in_transaction_session_timeout starts; Flush is a message like any other and stops it again. A
    process that stood still after such a pipeline would hold its locks for ever.
    """

    def _exit_gen(self) -> PQGen[None]:
        try:
            self._enqueue_sync()
            yield from self._communicate_gen()
        finally:
            # From a lost session nothing is fetched; trying would hide its OperationalError behind another.
            if self.pgconn.status != ConnStatus.BAD:
                yield from self._fetch_gen(flush=False)


@contextmanager
def pipeline(raw: "psycopg.Connection[Any]") -> Iterator[None]:
    """Send what is executed inside together; at its end every answer is there, or the first error raised."""
    if raw._pipeline is None:
        raw._pipeline = _Synced(raw)
    with raw.pipeline():
        yield
