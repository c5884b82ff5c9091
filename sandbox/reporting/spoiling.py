"""Faults of a whole file: it comes late, ends in the middle, or is not made at all."""

from __future__ import annotations

import random

from sandbox.database import Database
from sandbox.psp.call import Object
from sandbox.settlement import faults
from sandbox.settlement.drawing import available_from
from sandbox.settlement.faults import Fault

DAY = 86_400


def of_run(database: Database, account: str, run: Object, covered: tuple[int, int]) -> list[Fault]:
    """The faults of files that strike the report of a run, which is about the moments ``covered``."""
    return [
        fault
        for fault in faults.find(database, account=account, kinds=faults.FILES)
        if fault.options.get("report_type") in (None, run["report_type"])
        and fault.span[0] < covered[1] and fault.span[1] > covered[0]
    ]  # fmt: skip


def late_until(found: list[Fault], now: float) -> float | None:
    """Until when the report is not there yet; ``None`` when it can be written."""
    moments = [available_from(fault) for fault in found if fault.kind == "file_late"]
    later = [moment for moment in moments if moment > now]
    return max(later) if later else None


def fails(database: Database, run: Object, found: list[Fault]) -> bool:
    """Whether the report is not made."""
    for fault in found:
        if fault.kind == "report_failed":
            facts = {"report_type": run["report_type"], "run": run["id"]}
            faults.note(database, fault, line=0, before=facts, after=None)
            return True
    return False


def truncate(database: Database, size: int, run: Object, found: list[Fault]) -> int:
    """Cut the file of a run off when a fault says so; returns the bytes that are left."""
    for fault in found:
        if fault.kind == "file_truncated":
            left = _cut(
                database, run["id"], _place(fault, size), whole_lines=fault.options.get("where") == "line"
            )
            facts = {"report_type": run["report_type"], "run": run["id"]}
            faults.note(
                database, fault, line=0, before={**facts, "bytes": size}, after={**facts, "bytes": left}
            )
            return left
    return size


def _place(fault: Fault, size: int) -> int:
    """About the middle, by the seed."""
    return int(size * random.Random(f"{fault.seed}/{fault.day}").uniform(0.4, 0.6))  # noqa: S311 - see faults


def _cut(database: Database, file: str, place: int, *, whole_lines: bool) -> int:
    """Drop what comes after a place, moved into the middle of its line or to the line's beginning."""
    before = 0
    for row in database.rows(
        "SELECT n, length(content) AS size FROM file_chunk WHERE file = ? ORDER BY n", (file,)
    ):
        if before + row["size"] <= place:
            before += row["size"]
            continue
        kept = database.one("SELECT content FROM file_chunk WHERE file = ? AND n = ?", (file, row["n"]))
        content = bytes(kept["content"]) if kept else b""
        begin = content.rfind(b"\n", 0, place - before) + 1
        end = content.find(b"\n", place - before)
        at = begin if whole_lines else begin + max(1, (end - begin) // 2)
        database.execute(
            "UPDATE file_chunk SET content = ? WHERE file = ? AND n = ?", (content[:at], file, row["n"])
        )
        database.execute("DELETE FROM file_chunk WHERE file = ? AND n > ?", (file, row["n"]))
        return before + at
    return before
