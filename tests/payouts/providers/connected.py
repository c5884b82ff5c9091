"""A platform at the sandbox's provider, and orders to pay its sellers."""

import itertools
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from channels.types import ChannelData
from core import clock
from payouts.providers.contract import BatchOrder, Instruction, PayoutProvider
from payouts.providers.stripe import StripeTransfers
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess

__all__ = ["ConnectBench", "Platform", "instruction", "order"]

_serial = itertools.count(1)


def instruction(account: str, **changes: Any) -> Instruction:
    """Pay 20.00 USD to a connected account."""
    values = {
        "reference": f"po{os.getpid()}x{next(_serial)}-1",
        "payout_id": "po_1",
        "payee_reference": "dst_1",
        "kind": "stripe_account",
        "country": "US",
        "details": {"account": account},
        "amount_minor": 2000,
        "currency": "USD",
        "remittance": "Payout 1",
    }
    return Instruction(**values | changes)


def order(*instructions: Instruction, created_at: datetime | None = None) -> BatchOrder:
    return BatchOrder(
        reference="pob1",
        currency=instructions[0].currency if instructions else "USD",
        execute_on=date(2026, 11, 30),
        created_at=created_at or clock.now(),
        instructions=instructions,
    )


class Platform:
    """One test account of the sandbox with a channel to it."""

    def __init__(self, sandbox: SandboxProcess, **channel: Any) -> None:
        self.sandbox, self.key = sandbox, f"sk_test_{os.getpid()}_{next(_serial)}"
        self.id: str = sandbox.control("POST", "keys", {"key": self.key})["account"]
        self.channel: ChannelData = open_channel(base_url=sandbox.url, secret_key=self.key, **channel)

    def top_up(self, amount: int, currency: str = "usd") -> None:
        self.sandbox.control("POST", "topups", {"account": self.key, "amount": amount, "currency": currency})

    def seller(self) -> str:
        """The id of a new connected account that can be paid."""
        made = self.post("accounts", {"type": "custom", "capabilities[transfers][requested]": "true"})
        return str(made["id"])

    def post(self, path: str, values: dict[str, Any], *, account: str = "") -> Any:
        """Do at the provider what is not the product's to do."""
        headers = {"Authorization": f"Bearer {self.key}"} | ({"Stripe-Account": account} if account else {})
        request = urllib.request.Request(
            f"{self.sandbox.url}/v1/{path}", method="POST", headers=headers, data=urlencode(values).encode()
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def arm(self, kind: str, **conditions: Any) -> None:
        self.sandbox.arm(kind, account=self.id, **conditions)

    def moved(self, kind: str = "transfer.created") -> list[int]:
        """What really happened to the platform's money."""
        path = f"journal?account={self.id}&kind={kind}"
        return [row["amount"] for row in self.sandbox.control("GET", path)["data"]]

    def events(self, kind: str, *, account: str = "") -> list[Any]:
        """The events of the platform, or of one of its connected accounts, as they are delivered."""
        found = self.sandbox.control("GET", f"events?type={kind}&account={account or self.id}")["data"]
        if account:
            return list(found)
        return [{name: value for name, value in each.items() if name != "account"} for each in found]


class ConnectBench:
    """The platform as the far side of the suite that every provider runs."""

    provider: PayoutProvider = StripeTransfers()

    def __init__(self, platform: Platform) -> None:
        self.platform, self.channel = platform, platform.channel
        platform.top_up(100_000)
        self.paid, self.closed = platform.seller(), platform.seller()
        platform.sandbox.control("POST", f"accounts/{self.closed}", {"transfers": "inactive"})
        self.secrets = (self.paid, self.closed)
        self._returning: set[str] = set()

    def order(self, *outcomes: str) -> BatchOrder:
        items = [instruction(self.closed if each == "closed" else self.paid) for each in outcomes]
        self._returning |= {
            item.reference for item, each in zip(items, outcomes, strict=True) if each == "returned"
        }
        return order(*items)

    def take_time(self) -> None:
        for row in self._rows("transfer.created"):
            reference = row["metadata"]["payout_reference"]
            if reference in self._returning:
                self._returning.remove(reference)
                self.platform.sandbox.control("POST", f"transfers/{row['charge']}/reversal", {})

    def lose_answer(self) -> None:
        self.platform.arm("charged_but_timeout", operation="transfers.create")

    def lose_request(self) -> None:
        self.platform.arm("not_charged_timeout", operation="transfers.create")

    @contextmanager
    def cut(self) -> Iterator[None]:
        self.platform.sandbox.control("POST", "listener", {"open": False})
        try:
            yield
        finally:
            self.platform.sandbox.control("POST", "listener", {"open": True})

    def effects(self) -> dict[str, tuple[int, int]]:
        found: dict[str, tuple[int, int]] = {}
        for kind, times in (("transfer.created", 1), ("transfer.reversed", 0)):
            for row in self._rows(kind):
                count, net = found.get(row["metadata"]["payout_reference"], (0, 0))
                found[row["metadata"]["payout_reference"]] = count + times, net - row["amount"]
        return found

    def _rows(self, kind: str) -> list[Any]:
        path = f"journal?account={self.platform.id}&kind={kind}"
        return list(self.platform.sandbox.control("GET", path)["data"])
