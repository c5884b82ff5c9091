"""The sandbox's own clock: real time plus an offset that the control API moves."""

from __future__ import annotations

import time

from sandbox.database import Database


class Clock:
    """Seconds since 1970. The offset survives a restart, so that kept keys and expiries stay consistent."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.offset = float(database.setting("clock_offset", "0"))

    def now(self) -> float:
        """Sandbox time as a float."""
        return time.time() + self.offset

    def seconds(self) -> int:
        """Sandbox time in whole seconds, as the API writes it."""
        return int(self.now())

    def move(self, *, seconds: float) -> float:
        """Move the clock by ``seconds`` (backwards when negative) and return the new offset."""
        self.offset += seconds
        self._database.set_setting("clock_offset", repr(self.offset))
        return self.offset

    def reset(self) -> None:
        """Back to real time."""
        self.offset = 0.0
        self._database.set_setting("clock_offset", "0")
