"""Steering settlement: the parts of the control API about payouts by themselves, their truth and their faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.psp.call import Call
from sandbox.settlement import automatic, oracle, schedule
from sandbox.timestamps import day_of, span

if TYPE_CHECKING:
    from sandbox.world import World

Body = dict[str, Any]


class SettlementControl:
    """What the control API can do to settlement. Wrong wishes: ValueError."""

    def __init__(self, world: World, account: Callable[[str], str]) -> None:
        self._world, self._account = world, account
        self.routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "settlement_accounts", self.accounts),
            ("POST", "settlement_accounts", self.change),
            ("POST", "settle", self.settle),
            ("GET", "settlement", self.truth),
        ]

    def accounts(self, data: Body) -> Any:
        """How accounts settle, as far as it was said."""
        return {"data": [each.describe() for each in schedule.every(self._world.database)]}

    def change(self, data: Body) -> Any:
        """``interval`` daily or manual, ``bank`` (a customer of the bank), its ``accounts`` by currency."""
        _only(data, "account", "interval", "bank", "accounts")
        owner = None if data.get("bank") is None else self._account(str(data["bank"]))

        def act(call: Call) -> Any:
            return schedule.change(
                call, interval=data.get("interval"), owner=owner, places=data.get("accounts")
            ).describe()

        return self._perform(data, "dashboard.payout_schedule", act)

    def settle(self, data: Body) -> Any:
        """Pay out what ``account`` has available now, or had at the end of ``day``; the payouts made."""
        _only(data, "account", "day")

        def act(call: Call) -> Any:
            end = span(str(data["day"]))[1] if "day" in data else call.clock
            return {"data": automatic.settle(call, until=int(min(end, call.clock)))}

        return self._perform(data, "dashboard.settle", act)

    def truth(self, data: Body) -> Any:
        """The true totals of ``day`` (today when not said), of every account or of one."""
        _only(data, "account", "day")
        account = self._account(data["account"]) if "account" in data else None
        day = data.get("day") or day_of(self._world.clock.now())
        return {"day": day, "data": oracle.day(self._world.database, day, account)}

    def _perform(self, data: Body, operation: str, action: Callable[[Call], Any]) -> Any:
        account = self._account(str(data.get("account", "")))
        return self._world.api.perform(account=account, operation=operation, action=action)


def _only(data: Body, *names: str) -> None:
    unknown = set(data) - set(names)
    if unknown:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
