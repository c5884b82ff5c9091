"""Follows the orders that nobody is looking at: what was not sent is sent, what is open is asked about."""

from __future__ import annotations

import sys
import threading
import traceback

from sandbox.store_orders import Orders

PAUSE = 1.0
PATIENCE = 5.0


class Courier:
    """One thread of the store. A store that was killed goes on where it stopped: the orders are in a file."""

    def __init__(self, orders: Orders, stopping: threading.Event) -> None:
        self._orders, self._stopping = orders, stopping
        self._woken = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name="courier", daemon=True).start()

    def wake(self) -> None:
        """Something is due now."""
        self._woken.set()

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(PAUSE)
            self._woken.clear()
            try:
                for number in self._orders.due():
                    self._orders.deliver(number, patience=PATIENCE)
            except Exception:  # said loudly; the next round tries again
                if self._stopping.is_set():
                    return
                traceback.print_exc(file=sys.stderr)
