"""Steering settlement: the part of the control API about nightly payouts, the truth of a day, and faults."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox.psp.call import Call
from sandbox.settlement import automatic, drawing, faults, oracle, schedule
from sandbox.timestamps import day_of, span
from sandbox.webhooks import EVERYBODY

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
            ("GET", "settlement_faults", self.faults),
            ("POST", "settlement_faults", self.arm),
            ("DELETE", "settlement_faults", self.withdraw),
            ("DELETE", "settlement_faults/(?P<identifier>[0-9]+)", self.withdraw),
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

    def faults(self, data: Body) -> Any:
        """Every fault with its answer key; filter: account. What is due is drawn first."""
        _only(data, "account")
        account = self._account(data["account"]) if "account" in data else None
        self._world.api.perform(
            account=account or EVERYBODY, operation="control.settlement_faults",
            action=lambda call: drawing.draw_due(call.database, call.clock),
        )  # fmt: skip
        return {"data": faults.key(self._world.database, account)}

    def arm(self, data: Body) -> Any:
        """Arm a fault: ``kind``, ``account``, ``day`` (today), ``count`` (1), ``seed`` ("0") and options."""
        spec = dict(data)
        kind, day = str(spec.pop("kind", "")), spec.pop("day", None)
        seed, count = str(spec.pop("seed", "0")), int(spec.pop("count", 1))
        spec.pop("account", None)

        def act(call: Call) -> Any:
            armed = faults.arm(
                call.database, account=call.account, kind=kind, day=str(day or day_of(call.clock)), seed=seed,
                count=count, options=spec,
            )  # fmt: skip
            return {"data": [faults.describe(call.database, fault) for fault in armed]}

        return self._perform(data, "control.settlement_faults", act)

    def withdraw(self, data: Body, identifier: str | None = None) -> Any:
        """Let one fault, or all, strike no longer; the answer key stays."""
        number = None if identifier is None else int(identifier)
        return {"withdrawn": faults.withdraw(self._world.database, number)}

    def _perform(self, data: Body, operation: str, action: Callable[[Call], Any]) -> Any:
        account = self._account(str(data.get("account", "")))
        return self._world.api.perform(account=account, operation=operation, action=action)


def _only(data: Body, *names: str) -> None:
    unknown = set(data) - set(names)
    if unknown:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
