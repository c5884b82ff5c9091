"""A body that drips in would hold one of few threads for as long as its sender likes: it is cut off."""

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

from django.conf import settings
from django.http import UnreadablePostError

from core.errors import DomainError

__all__ = ["BodyTooSlow", "read_in_time"]

_LOOK_SECONDS = 0.25


class BodyTooSlow(DomainError):
    code = "body_too_slow"
    status = 408
    message = "The body did not arrive in time. Send it again."


class _Watch:
    """Knows whose body is being read, and stops those that take too long; one thread for a process."""

    def __init__(self) -> None:
        self._guard = threading.Condition()
        self._reading: dict[object, tuple[socket.socket, float]] = {}
        self._cut: set[object] = set()
        self._thread: threading.Thread | None = None

    def begin(self, line: socket.socket, until: float) -> object:
        """Watch a connection from now on."""
        key = object()
        with self._guard:
            self._reading[key] = (line, until)
            # After a fork the thread of the parent is not ours.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="slow bodies", daemon=True)
                self._thread.start()
            elif len(self._reading) == 1:
                self._guard.notify()
        return key

    def end(self, key: object) -> bool:
        """Watch it no more; say whether it was cut off."""
        with self._guard:
            self._reading.pop(key, None)
            was_cut = key in self._cut
            self._cut.discard(key)
        return was_cut

    def _run(self) -> None:
        while True:
            with self._guard:
                while not self._reading:
                    self._guard.wait()
                now = time.monotonic()
                for key, (line, until) in list(self._reading.items()):
                    if until <= now:
                        del self._reading[key]
                        self._cut.add(key)
                        # Only what comes in: the answer still goes out.
                        with suppress(OSError):
                            line.shutdown(socket.SHUT_RD)
            time.sleep(_LOOK_SECONDS)


_WATCH = _Watch()


@contextmanager
def read_in_time(environ: Mapping[str, Any]) -> Iterator[None]:
    """Read a request's body within settings.BODY_SECONDS, on a server that shows its socket (gunicorn).

    Raises BodyTooSlow.
    """
    line = environ.get("gunicorn.socket")
    if line is None:
        yield
        return
    key = _WATCH.begin(line, time.monotonic() + settings.BODY_SECONDS)
    try:
        yield
    except UnreadablePostError:
        if _WATCH.end(key):
            raise BodyTooSlow() from None
        raise
    finally:
        was_cut = _WATCH.end(key)
    if was_cut:
        raise BodyTooSlow()
