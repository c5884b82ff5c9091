"""CPU time by process, read from /proc: a yardstick that other work on the machine hardly moves."""

import os
from collections.abc import Mapping
from pathlib import Path

from django.db import connection

from ops.procfs import descendants
from tests.stack import Stack

__all__ = ["CpuMeter", "server_seconds"]

_TICKS = os.sysconf("SC_CLK_TCK")


class CpuMeter:
    """Adds up the CPU seconds of the stack's processes and of the database's backends between two looks."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._before = self._look()

    def restart(self) -> None:
        """Count from now on."""
        self._before = self._look()

    def milliseconds(self, *, per: int) -> dict[str, float]:
        """Return the CPU milliseconds of each part since the start, divided by a number of payments.

        "postgres" are the backends that live at the end, "postgres, the rest" those that ended meanwhile and
        the server's background processes. Of other parts, what ended is not counted, nor is the backend that
        this process asks for results; the load generator is this process.
        """
        now = self._look()
        spent: dict[str, float] = {}
        for name, pid in now:
            seconds = now[name, pid] - self._before.get((name, pid), 0.0)
            spent[name] = spent.get(name, 0.0) + seconds * 1000 / per
        return spent

    def _look(self) -> Mapping[tuple[str, int], float]:
        trees = {
            name: [process.pid, *(each.pid for each in descendants(process.pid))]
            for name, process in self._stack.processes.items()
        }
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            )
            trees["postgres"] = [pid for (pid,) in cursor.fetchall()]
            cursor.execute("SELECT pg_backend_pid()")
            (own,) = cursor.fetchone()
        postmaster = _parent(own)
        trees["load generator"] = [os.getpid()]
        found = {(name, pid): _seconds(pid) for name, pids in trees.items() for pid in pids}
        # Those that write in the background, and backends that have ended.
        known = {own, *trees["postgres"]}
        others = sum(_seconds(each.pid) for each in descendants(postmaster) if each.pid not in known)
        found["postgres, the rest", postmaster] = _seconds(postmaster, ended=True) + others
        return found


def server_seconds() -> float:
    """CPU seconds of the whole server since it started: of every session, and of what works behind them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (own,) = cursor.fetchone()
    postmaster = _parent(own)
    return _seconds(postmaster, ended=True) + sum(_seconds(each.pid) for each in descendants(postmaster))


def _seconds(pid: int, *, ended: bool = False) -> float:
    """The CPU time of a process, and where `ended` that of its children that have ended."""
    fields = _stat(pid)
    return sum(int(field) for field in fields[11 : 15 if ended else 13]) / _TICKS


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ["0"] * 15
    return text.rpartition(")")[2].split()
