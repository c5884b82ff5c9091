"""A socket whose reads and writes all end at one moment, however slowly the other side drips."""

import io
import socket
import ssl
import time
from typing import Any

__all__ = ["OutOfTime", "TimedSocket", "TooLarge"]


class OutOfTime(TimeoutError):
    """The time for the whole exchange is over."""


class TooLarge(OSError):
    """The other side sent more than anybody reads."""


class TimedSocket:
    """As much of a socket as http.client needs, for one exchange after the other.

    `begin` sets the end of the next exchange, on the monotonic clock, and how many bytes it may bring.
    """

    def __init__(self, line: socket.socket | ssl.SSLSocket) -> None:
        self.line = line
        self.begin(0.0, 0)

    def begin(self, deadline_seconds: float, budget: int) -> None:
        """Start an exchange that ends at this moment and brings at most `budget` bytes."""
        self.deadline_seconds, self.budget = deadline_seconds, budget

    def arm(self) -> None:
        """Give the next operation what is left of the time. Raises OutOfTime."""
        left = self.deadline_seconds - time.monotonic()
        if left <= 0:
            raise OutOfTime("no complete answer in time")
        self.line.settimeout(left)

    def sendall(self, data: bytes) -> None:
        """Write everything, within the time that is left."""
        self.arm()
        self.line.sendall(data)

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        """Return a reader of this socket; http.client asks for "rb" only, once per answer."""
        return io.BufferedReader(_Reader(self), 8192)

    def hang_up(self) -> None:
        """Close the connection."""
        self.line.close()


class _Reader(io.RawIOBase):
    def __init__(self, line: TimedSocket) -> None:
        self._timed = line

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._timed.arm()
        count = self._timed.line.recv_into(buffer)
        self._timed.budget -= count
        if self._timed.budget < 0:
            raise TooLarge("the answer is too large")
        return count
