"""Holds whose time is over are released by the worker."""

import time

from core.drain import Drain
from wallet.services import expire_holds

__all__ = ["HoldDrain"]


class HoldDrain(Drain):
    """Works through overdue holds in order of their expiry.

    No row is claimed ahead: each portion is locked, released and committed at once, so there is no lease.
    """

    name = "holds"

    def due_sql(self) -> str:
        """Return the moments that the metrics show the age of."""
        return (
            "SELECT expires_at FROM wallet_hold WHERE state = 'OPEN' AND expires_at <= %(now)s"
            " ORDER BY expires_at, id"
        )

    def run(self, *, seconds: float = 20.0) -> int:
        """Release what is due until nothing is, or the time is over; return how many holds."""
        deadline, done = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and (portion := expire_holds()):
            done += portion
        return done
