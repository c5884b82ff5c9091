"""Steering the bank: the part of the control API under ``/_sandbox/bank``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sandbox import journal
from sandbox.banking import accounts, amounts, callbacks, files, magic, payees, payments, settling
from sandbox.banking.errors import REASONS
from sandbox.psp.call import Call
from sandbox.webhooks import BANK_EVERYBODY

if TYPE_CHECKING:
    from sandbox.world import World

Body = dict[str, Any]

NAME = "(?P<identifier>[A-Za-z0-9_.:-]{1,64})"


class BankControl:
    """What the control API can do to the bank. Wrong wishes: ValueError."""

    def __init__(self, world: World, account: Callable[[str], str]) -> None:
        self._world, self._account = world, account
        self.routes: list[tuple[str, str, Callable[..., Any]]] = [
            ("GET", "bank", self.settings),
            ("POST", "bank", self.change),
            ("GET", "bank/accounts", self.accounts),
            ("POST", f"bank/accounts/{NAME}", self.set_account),
            ("POST", f"bank/accounts/{NAME}/entries", self.add_entry),
            ("GET", "bank/payments", self.payments),
            ("POST", f"bank/payments/{NAME}/(?P<step>[a-z]+)", self.step),
            ("POST", f"bank/payees/{NAME}", self.freeze),
            ("POST", "bank/settle", self.settle),
            ("GET", "bank/files", self.files),
            ("GET", "bank/totals", self.totals),
            ("POST", "bank/callbacks", self.add_callback),
        ]

    def settings(self, data: Body) -> Any:
        """How long the bank takes and what it decides without magic."""
        return settling.settings(self._world.database)

    def change(self, data: Body) -> Any:
        """``seconds`` until a payment is decided (null: when told to), ``outcome`` without magic."""
        if "outcome" in data and data["outcome"] not in magic.PLANS:
            raise ValueError(f"outcome must be one of {', '.join(magic.PLANS)}")
        database = self._world.database
        if "seconds" in data:
            seconds = data["seconds"]
            database.set_setting("bank_seconds", "hold" if seconds is None else repr(float(seconds)))
        if "outcome" in data:
            database.set_setting("bank_outcome", data["outcome"])
        return self.settings({})

    def accounts(self, data: Body) -> Any:
        """Every account that pays, with its balance; filter: owner."""
        rows = self._rows("bank_account", data, ("owner", "id"), "owner, id")
        return {"data": [accounts.shown(self._world.database, row) for row in rows]}

    def set_account(self, data: Body, identifier: str) -> Any:
        """Open an account or change it: ``owner``, ``currency``, ``balance`` and ``fee`` as decimal texts."""
        currency = str(data.get("currency", "EUR"))

        def act(call: Call) -> Any:
            account = accounts.ensure(call, identifier, currency)
            if "fee" in data:
                call.database.execute(
                    "UPDATE bank_account SET fee = ? WHERE owner = ? AND id = ?",
                    (_minor(data["fee"], account["currency"]), call.account, identifier),
                )
            if "balance" in data:
                accounts.set_balance(call, account, _minor(data["balance"], account["currency"]))
            return accounts.shown(call.database, accounts.ensure(call, identifier, currency))

        return self._perform(data, "bank.account", act)

    def add_entry(self, data: Body, identifier: str) -> Any:
        """An entry nobody ordered: ``amount`` (a decimal text, with a minus when taken), ``text``."""
        facts: dict[str, str] = {name: str(data[name]) for name in ("text", "end_to_end_id") if name in data}

        def act(call: Call) -> Any:
            account = accounts.find(call.database, call.account, identifier)
            if account is None:
                raise ValueError(f"no account {identifier}")
            text = str(data.get("amount", ""))
            amount = _minor(text.removeprefix("-"), account["currency"])
            accounts.book(
                call, account, "foreign", -amount if text.startswith("-") else amount,
                text=facts.get("text", ""), facts=facts,
            )  # fmt: skip
            return accounts.shown(call.database, account)

        return self._perform(data, "bank.entry", act)

    def payments(self, data: Body) -> Any:
        """Every payment, of batches and of files; filters: owner, source, batch, ref, state, file."""
        names = ("owner", "source", "batch", "ref", "state", "file")
        rows = self._rows("bank_payment", data, names, "id")
        hidden = ("fingerprint", "plan")
        return {"data": [{k: v for k, v in row.items() if k not in hidden} for row in rows]}

    def step(self, data: Body, identifier: str, step: str) -> Any:
        """Decide one payment: pay, reject, defer, return; ``reason``, ``owner``, ``batch``."""
        why = str(data.get("reason", "AC04"))
        if why not in REASONS:
            raise ValueError(f"reason must be one of {', '.join(REASONS)}")
        steps: dict[str, tuple[tuple[str, ...], Callable[[Call, Body], Body]]] = {
            "pay": (payments.OPEN, settling.pay),
            "reject": (payments.OPEN, lambda call, row: settling.reject(call, row, why)),
            "defer": (("submitted",), settling.defer),
            "return": (("paid",), lambda call, row: settling.take_back(call, row, why)),
        }
        if step not in steps:
            raise ValueError(f"a payment can {', '.join(steps)}")
        row = self._payment(data, identifier)

        def act(call: Call) -> Any:
            now = payments.by_id(call.database, row["id"])
            if now["state"] not in steps[step][0]:
                raise ValueError(f"a payment that is {now['state']} cannot {step}")
            moved = steps[step][1](call, now)
            settling.report_of(call, [moved])
            return {**payments.shown(moved), "source": moved["source"]}

        return self._world.api.perform(account=row["owner"], operation=f"bank.payment.{step}", action=act)

    def _payment(self, data: Body, identifier: str) -> Body:
        wanted = {name: data[name] for name in ("owner", "batch") if name in data} | {"ref": identifier}
        rows = self._rows("bank_payment", wanted, ("owner", "batch", "ref"), "id")
        if len(rows) != 1:
            raise ValueError(f"{len(rows)} payments {identifier}: say owner or batch")
        return rows[0]

    def freeze(self, data: Body, identifier: str) -> Any:
        """Make a payee not payable (``is_payable`` false, ``reason``), or payable again."""
        why = None if data.get("is_payable") else str(data.get("reason", "AC06"))
        return self._perform(
            data, "bank.payee", lambda call: payees.freeze(call, why=why), target=identifier
        )  # fmt: skip

    def settle(self, data: Body) -> Any:
        """Decide now what is open: all, or of an ``owner``, a ``batch``, a ``ref``."""
        self._world.alarms.ring()  # received files are read first
        where: dict[str, str] = {name: str(data[name]) for name in ("batch", "ref") if name in data}
        if "owner" in data:
            where["owner"] = self._account(str(data["owner"]))
        open_targets = settling.open_targets(self._world.database, where)
        for owner, kind, target in open_targets:
            action = settling.by_clock if kind == settling.PAYMENT else settling.file_by_clock
            self._world.api.perform(
                account=owner, operation=f"clock.{kind}",
                action=lambda call, action=action, target=target: action(call, str(target)),
            )  # fmt: skip
        return {"decided": len(open_targets)}

    def files(self, data: Body) -> Any:
        """Every file received; filters: owner, name, state."""
        rows = self._rows("bank_file", data, ("owner", "name", "state"), "id")
        return {"data": [{"owner": row["owner"], **files.shown(row)} for row in rows]}

    def totals(self, data: Body) -> Any:
        """The journal of effects summed per reference: how often paid and returned, how much is left paid."""
        if "owner" in data:
            data["account"] = self._account(data.pop("owner"))
        return {"data": journal.payout_totals(self._world.database, data)}

    def add_callback(self, data: Body) -> Any:
        """Register a callback with a secret of your choice; ``owner`` ``bank_*`` hears every account."""
        url, secret = str(data.get("url", "")), str(data.get("secret", ""))
        if not url or not secret:
            raise ValueError("url and secret are required")
        owner = str(data.get("owner", BANK_EVERYBODY))
        return self._perform(
            {"owner": owner}, "bank.webhook_endpoint",
            lambda call: callbacks.register(
                call, url=url, secret=secret, enabled=list(data.get("events", ["*"]))
            )[1],
        )  # fmt: skip

    def _perform(self, data: Body, operation: str, action: Callable[[Call], Any], target: str = "") -> Any:
        owner = self._account(str(data.get("owner", "")))
        return self._world.api.perform(account=owner, operation=operation, action=action, target=target)

    def _rows(self, table: str, data: Body, names: tuple[str, ...], order: str) -> list[Body]:
        unknown = set(data) - set(names)
        if unknown:
            raise ValueError(f"unknown filter {', '.join(sorted(unknown))}")
        wishes = {**data, **({"owner": self._account(data["owner"])} if "owner" in data else {})}
        where = "".join(f" AND {name} = ?" for name in wishes)
        sql = f"SELECT * FROM {table} WHERE 1 = 1{where} ORDER BY {order}"  # noqa: S608 - names are ours
        return self._world.database.rows(sql, tuple(wishes.values()))


def _minor(text: Any, currency: str) -> int:
    amount = amounts.minor(str(text), currency, exact=False)
    if amount is None:
        raise ValueError(f"{json.dumps(text)} is no amount in {currency}")
    return amount
