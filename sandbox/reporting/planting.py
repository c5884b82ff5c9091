"""What faults make of the lines of a report on their way into its file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sandbox.database import Database
from sandbox.reporting.lines import Line
from sandbox.settlement import faults

Row = dict[str, Any]
DAY = 86_400

#: The moment that decides in which day's report a line stands.
Dated = Callable[[Line], int]


def booked(line: Line) -> int:
    """Activity stands in the report of the day on which it was booked."""
    return line.created


def arrived(line: Line) -> int:
    """What a payout is made of stands in the report of the day on which the payout arrives."""
    return int(line.payout["arrival_date"])


@dataclass(frozen=True, slots=True)
class Plants:
    """The changes of lines of one account. ``window`` is the report's interval, where it has one."""

    changes: dict[int, Row]
    window: tuple[int, int] | None
    dated: Dated

    def late(self) -> list[int]:
        """Movements that stand in the report of the next day."""
        return [line for line, row in self.changes.items() if row["kind"] == "late_to_next_day"]

    def seen(self, page: list[Line]) -> Iterator[Line]:
        """The lines that the file shows for these."""
        for line in page:
            change = self.changes.get(line.seq)
            if change is None:
                yield line
            elif change["kind"] == "late_to_next_day":
                if self._is_shown(line):
                    yield line
            else:
                yield from _planted(line, change)

    def _is_shown(self, line: Line) -> bool:
        """Whether a late line stands in this report: its day is the one after its own."""
        if self.window is None:
            return True
        day = self.dated(line) // DAY * DAY + DAY
        return self.window[0] <= day < self.window[1]


def plants(database: Database, account: str, *, window: tuple[int, int] | None, dated: Dated) -> Plants:
    """The changes that faults make to lines of an account."""
    rows = faults.changes(database, account=account, kinds=faults.LINES)
    return Plants({row["line"]: row for row in rows}, window, dated)


def _planted(line: Line, change: Row) -> list[Line]:
    kind, after = change["kind"], change["after"]
    if kind == "line_missing":
        return []
    if kind == "line_duplicated":
        return [line] * int(after["times"])
    told = replace(
        line, id=after["balance_transaction_id"], source=after["source_id"], currency=after["currency"],
        gross=after["gross"], fee=after["fee"], net=after["net"], category=after["reporting_category"],
    )  # fmt: skip
    if kind != "line_extra":
        return [told]
    invented = {
        **line.charge, "id": after["source_id"], "object": "charge", "created": line.created,
        "payment_intent": after["payment_intent_id"], "metadata": {},
    }  # fmt: skip
    return [line, replace(told, seq=-1, origin=invented, charge=invented)]
