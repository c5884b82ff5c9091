"""Who is running, read from /proc. On systems without /proc the answers are merely poorer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
LAUNCH_MARK = "QUITTANCE_LAUNCH_ID"


@dataclass(frozen=True)
class Process:
    """One process. The start time tells it from a later one with the same number."""

    pid: int
    started: int

    def alive(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        if not PROC.is_dir():
            return _accepts_signals(self.pid)
        state = _stat(self.pid)
        return state is not None and state.started == self.started and state.letter not in "ZX"


@dataclass(frozen=True)
class _Stat:
    letter: str
    parent: int
    started: int


def process(pid: int) -> Process:
    """The process that has this number now (start time 0 when it can't be read)."""
    state = _stat(pid)
    return Process(pid=pid, started=state.started if state else 0)


def parent_of(pid: int) -> int:
    """The parent's number, 0 when unknown."""
    state = _stat(pid)
    return state.parent if state else 0


def descendants(pid: int) -> list[Process]:
    """Every process below `pid`, in no order."""
    children: dict[int, list[int]] = {}
    for other in _pids():
        children.setdefault(parent_of(other), []).append(other)
    found: list[int] = []
    queue = [pid]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return [process(each) for each in found]


def marked(launch_id: str) -> list[Process]:
    """Living processes that were started with this launch id in their environment.

    PostgreSQL's backends and Valkey write their title over the environment, so they don't show here.
    """
    mark = f"{LAUNCH_MARK}={launch_id}".encode()
    found = []
    for pid in _pids():
        try:
            environ = (PROC / str(pid) / "environ").read_bytes()
        except OSError:  # gone meanwhile, or another user's
            continue
        if mark in environ.split(b"\0"):
            each = process(pid)
            if each.alive():
                found.append(each)
    return found


def command_line(pid: int, *, limit: int | None = 80) -> str:
    """The command of a process, for a message at most 80 characters of it."""
    try:
        raw = (PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return raw.replace(b"\0", b" ").decode("utf-8", "replace").strip()[:limit]


def working_in(folder: Path) -> list[int]:
    """Processes whose current folder is `folder`: PostgreSQL's backends stand in their data folder."""
    found = []
    for pid in _pids():
        try:
            if os.readlink(PROC / str(pid) / "cwd") == str(folder):
                found.append(pid)
        except OSError:
            continue
    return found


def listener_on(port: int) -> str:
    """Who listens on a TCP port, as "command (pid)", or an empty text when /proc does not tell."""
    inodes = set()
    for table in ("tcp", "tcp6"):
        try:
            rows = (PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if fields[3] == "0A" and int(fields[1].rsplit(":", 1)[1], 16) == port:
                inodes.add(f"socket:[{fields[9]}]")
    for pid in _pids() if inodes else ():
        try:
            handles = list((PROC / str(pid) / "fd").iterdir())
        except OSError:
            continue
        for handle in handles:
            try:
                if os.readlink(handle) in inodes:
                    return f"{command_line(pid)} (process {pid})"
            except OSError:
                continue
    return ""


def _pids() -> Iterator[int]:
    if PROC.is_dir():
        for entry in os.listdir(PROC):
            if entry.isdigit():
                yield int(entry)


def _stat(pid: int) -> _Stat | None:
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return None
    # The command in brackets may itself hold brackets and blanks: count from the last one.
    fields = text.rpartition(")")[2].split()
    return _Stat(letter=fields[0], parent=int(fields[1]), started=int(fields[19]))


def _accepts_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
