"""Drains: the database remembers the work, a drain claims what is due and loops until nothing is.

A Celery task only starts a drain; losing every message costs latency, because beat starts them anyway.
"""

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.numeric import Int4

from core import clock
from core.failpoints import failpoint
from core.log_context import working_on
from core.models import WorkRow
from core.rows import read_rows
from core.tracing import span

__all__ = ["Claim", "Drain", "drains", "get_drain", "register_drain"]

log = logging.getLogger(__name__)
_DRAINS: dict[str, "Drain"] = {}
# While some rows are in work, others may become due.
_LOOK_AGAIN_SECONDS = 0.1


@dataclass(frozen=True)
class Claim:
    """The right to work on one row until the lease ends; `fence` tells a later claimer's writes from ours."""

    id: UUID
    fence: int
    attempts: int


class Drain:
    """Claims due rows of one table and handles them one by one, or several at once.

    Subclasses set the class variables and `handle`. `handle` runs outside a transaction; whatever it
    raises is passed to `failed`, so that one poisoned row never stops the others.
    """

    name: ClassVar[str]
    model: ClassVar[type[WorkRow]]
    batch: ClassVar[int] = 50
    lease_seconds: ClassVar[int] = 30
    parallel: ClassVar[int] = 1

    def due_sql(self) -> str:
        """Return a SELECT of the moments since when what is due has been due, the oldest first.

        `%(now)s` is the present; it must follow an index, because it is run at every scrape of the metrics.
        """
        table = self.model._meta.db_table
        return f"SELECT due_at FROM {table} WHERE due_at <= %(now)s ORDER BY due_at"  # noqa: S608

    def handle(self, claim: Claim) -> None:
        """Do the work of one row and clear or move its `due_at`."""
        raise NotImplementedError

    def failed(self, claim: Claim, error: Exception) -> None:
        """Record that `handle` raised; the row comes back when its lease ends, unless this moves it."""
        log.error("drain %s: %s failed", self.name, claim.id, exc_info=error)

    def run(self, *, seconds: float = 20.0) -> int:
        """Work until nothing is due or the time is over; return how many rows were handled."""
        deadline = time.monotonic() + seconds
        return self._run_in_turn(deadline) if self.parallel == 1 else self._run_abreast(deadline)

    def _run_in_turn(self, deadline: float) -> int:
        handled = 0
        while time.monotonic() < deadline and (claims := self.claim(limit=self.batch)):
            for claim in claims:
                self._one(claim)
            handled += len(claims)
        return handled

    def _run_abreast(self, deadline: float) -> int:
        """Keep every thread busy: what hangs holds its own thread, never the work of the others."""
        handled, claimed_at, full, running = 0, 0.0, 0, set[Future[None]]()
        while (now := time.monotonic()) < deadline:
            free = self.batch - len(running)
            # Many at a time where possible, because a claim is a transaction of its own: when half of what
            # could be had is done, or after a while, because what hangs must not keep the others from being
            # looked for.
            if len(running) * 2 <= full or (free and now - claimed_at >= _LOOK_AGAIN_SECONDS):
                claims = self.claim(limit=free)
                claimed_at = now
                running |= {self._threads.submit(self._one_threaded, claim) for claim in claims}
                full = len(running)
                handled += len(claims)
                if not running:
                    break
            running = wait(running, timeout=_LOOK_AGAIN_SECONDS, return_when=FIRST_COMPLETED).not_done
        wait(running)
        return handled

    @cached_property
    def _threads(self) -> ThreadPoolExecutor:
        # Kept for the life of the process, so that each thread keeps its connections to the world open.
        return ThreadPoolExecutor(self.parallel, thread_name_prefix=self.name)

    def claim(self, *, limit: int) -> list[Claim]:
        """Take due rows for `lease_seconds`, oldest first, skipping what others hold; commits alone."""
        table = self.model._meta.db_table
        with transaction.atomic(durable=True):
            rows = read_rows(
                # An UPDATE returns rows in the order of its plan: what was claimed is put in order after it.
                sql=f"WITH claimed AS (UPDATE {table} SET"  # noqa: S608
                " leased_until = clock_timestamp() + %s * interval '1 second',"
                f" fence = fence + 1 WHERE id IN (SELECT id FROM {table} WHERE due_at <= %s"
                " AND (leased_until IS NULL OR leased_until < clock_timestamp())"
                " ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED) RETURNING id, fence, attempts, due_at)"
                " SELECT id, fence, attempts FROM claimed ORDER BY due_at, id",
                params=[Int4(self.lease_seconds), clock.now(), Int4(limit)],
            )
            claims = [Claim(*row) for row in rows]
        failpoint(f"{self.name}.claimed")
        return claims

    def _one(self, claim: Claim) -> None:
        with working_on(drain=self.name, row=str(claim.id)), span(f"drain {self.name}"):
            try:
                self.handle(claim)
            except Exception as error:
                self._record_failure(claim, error)

    def _one_threaded(self, claim: Claim) -> None:
        try:
            self._one(claim)
        finally:
            connection.close()  # Returns the thread's connection to the pool.

    def _record_failure(self, claim: Claim, error: Exception) -> None:
        try:
            self.failed(claim, error)
        except Exception:
            # The database is likely away; the lease will run out and the row is claimed again.
            log.exception("drain %s: the failure of %s could not be recorded", self.name, claim.id)


def register_drain(drain: Drain) -> None:
    """Make a drain known to the worker and to beat; apps call it in `ready()`."""
    _DRAINS[drain.name] = drain


def get_drain(name: str) -> Drain:
    """Return a registered drain. Raises KeyError for an unknown name."""
    return _DRAINS[name]


def drains() -> list[str]:
    """Return the names of all registered drains."""
    return sorted(_DRAINS)
