"""What happens by itself when the sandbox clock reaches a moment: sessions expire, reviews end, the bank
pays.

Alarms lie in the file, so a killed sandbox loses none; one thread looks for those that are due.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Callable
from functools import partial

from sandbox.banking import files, settling
from sandbox.clock import Clock
from sandbox.database import Database
from sandbox.psp import attempts, payouts, refunds, sessions
from sandbox.psp.api import Api
from sandbox.psp.call import Call
from sandbox.reporting import runs, writing
from sandbox.settlement import automatic, schedule

PAUSE = 0.1

Action = Callable[[Call, str], object]

#: What each kind of alarm does to its target. An action does nothing when the state has moved on.
ACTIONS: dict[str, Action] = {
    sessions.EXPIRY: sessions.expire_by_clock,
    attempts.REVIEW_SUCCEEDS: partial(attempts.end_review, succeeded=True),
    attempts.REVIEW_FAILS: partial(attempts.end_review, succeeded=False),
    refunds.REFUND_SUCCEEDS: refunds.succeed_by_clock,
    refunds.REFUND_FAILS: refunds.fail_by_clock,
    payouts.LEAVES: payouts.leave,
    payouts.ARRIVES: payouts.arrive,
    payouts.RETURNS: payouts.come_back,
    schedule.NIGHT: automatic.night,
    files.READ: files.read_by_clock,
    settling.FILE: settling.file_by_clock,
    settling.PAYMENT: settling.by_clock,
    settling.RETURN: settling.return_by_clock,
}

#: What takes long: each does its work outside of a transaction, and may be begun again.
LONG: dict[str, Callable[[Api, str, str], None]] = {runs.WRITES: writing.by_clock}


class Alarms:
    """Lets due alarms happen, each in a transaction of its own."""

    def __init__(self, *, database: Database, clock: Clock, api: Api) -> None:
        self._database, self._clock, self._api = database, clock, api
        self._running = threading.Lock()
        self._thread = threading.Thread(target=self._watch, name="alarms", daemon=True)

    def start(self) -> None:
        """Watch the clock until the sandbox stops."""
        self._thread.start()

    def _watch(self) -> None:
        while not self._api.stopping.wait(PAUSE):
            try:
                self.ring()
            except Exception:  # a defect of the sandbox: say so loudly, and keep the clock going
                if not self._api.stopping.is_set():
                    traceback.print_exc(file=sys.stderr)

    def ring(self) -> list[str]:
        """Let everything that is due happen now; returns the ids concerned, oldest first."""
        rung: list[str] = []
        with self._running:
            while True:
                row = self._database.one(
                    "SELECT * FROM alarm WHERE due <= ? ORDER BY due, seq LIMIT 1", (self._clock.now(),)
                )
                if row is None:
                    return rung
                self._ring(row["seq"], row["account"], row["kind"], row["target"])
                rung.append(row["target"])

    def _ring(self, seq: int, account: str, kind: str, target: str) -> None:
        if kind in LONG:
            try:
                LONG[kind](self._api, account, target)
            finally:
                self._database.execute("DELETE FROM alarm WHERE seq = ?", (seq,))
            return

        def act(call: Call) -> None:
            call.database.execute("DELETE FROM alarm WHERE seq = ?", (seq,))
            ACTIONS[kind](call, target)

        try:
            self._api.perform(account=account, operation=f"clock.{kind}", action=act, target=target)
        except Exception:
            self._database.execute("DELETE FROM alarm WHERE seq = ?", (seq,))  # else it rings for ever
            raise
