"""Progress that people watch: a bar on a terminal, a plain line now and then elsewhere."""

from __future__ import annotations

import sys
import threading
import time

from ops.messages import Progress

WIDTH = 32
LINE_EVERY = 15.0
DRAW_EVERY = 0.1


class Bar:
    """How much of something is done; told from many threads."""

    def __init__(self, progress: Progress, label: str, total: int) -> None:
        self.progress, self.label, self.total = progress, label, total
        self.done = 0
        self.begun = time.monotonic()
        self._is_terminal = sys.stdout.isatty()
        self._shown = self.begun if not self._is_terminal else 0.0
        self._guard = threading.Lock()

    def step(self) -> int:
        """One more is done; return how many are."""
        with self._guard:
            self.done += 1
            now = time.monotonic()
            if now - self._shown >= (DRAW_EVERY if self._is_terminal else LINE_EVERY):
                self._shown = now
                self._draw()
            return self.done

    def say(self, text: str) -> None:
        """Print a line of its own, above the bar."""
        with self._guard:
            if self._is_terminal:
                print("\r\033[K", end="")
            self.progress.say(text)

    def end(self) -> None:
        """Draw it a last time."""
        with self._guard:
            if self._is_terminal:
                self._draw()
                print(flush=True)
            else:
                self.progress.say(self._text())

    @property
    def rate(self) -> float:
        """How many were done a second so far."""
        return self.done / max(time.monotonic() - self.begun, 0.001)

    def _text(self) -> str:
        return f"{self.label}: {self.done} of {self.total}, {self.rate:.1f}/s"

    def _draw(self) -> None:
        if not self._is_terminal:
            self.progress.say(self._text())
            return
        full = WIDTH * self.done // max(self.total, 1)
        bar = "#" * full + "." * (WIDTH - full)
        print(f"\r\033[K[{self.progress.elapsed:6.1f}s] [{bar}] {self._text()}", end="", flush=True)
