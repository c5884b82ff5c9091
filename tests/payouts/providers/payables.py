"""The sandbox's payables API as the far side of the provider `sandbox`."""

import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from payouts.providers.contract import BatchOrder, Instruction
from payouts.providers.sandbox import SandboxPayables
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.orders import IBAN, iban, instruction, order_of

__all__ = ["ACCOUNTS", "PayablesBench"]

_serial = itertools.count(1)
_DAY = 86_400
#: The bank goes by an account's last digits.
ACCOUNTS = {
    "paid": IBAN,
    "closed": iban("DE", "370400440532019001"),
    "wrong": iban("DE", "370400440532019002"),
    "returned": iban("DE", "370400440532019004"),
    "blocked": iban("DE", "370400440532019006"),
}


class PayablesBench:
    """One customer of the payables API: a key, hence an account of its own. `settings` are the test's own."""

    provider = SandboxPayables()
    secrets = ("Ann Lee", *ACCOUNTS.values())

    def __init__(self, sandbox: SandboxProcess, settings: Any, **other: Any) -> None:
        self.sandbox, self._settings = sandbox, settings
        self.key = f"bk_test_{os.getpid()}_p{next(_serial)}"
        self.channel = open_channel(
            provider="sandbox",
            secret_key=self.key,
            webhook_secret="bks_current",
            base_url=sandbox.url,
            capabilities={"payouts": {"kinds": ["iban", "us_account"], "currencies": ["EUR", "USD"]}},
            **other,
        )

    def payout(self, outcome: str, **changes: Any) -> Instruction:
        """One payout, to an account of its own name."""
        return instruction(iban=ACCOUNTS[outcome], payee_reference=f"dst_{outcome}", **changes)

    def order(self, *outcomes: str) -> BatchOrder:
        amounts = itertools.count(1234)
        return order_of([self.payout(outcome, amount_minor=next(amounts)) for outcome in outcomes])

    def settle(self) -> None:
        """Let the provider decide what it has."""
        self.control("settle", {"owner": self.key})

    def take_time(self) -> None:
        """All that the provider will ever do: it decides, and days pass in which money comes back."""
        self.settle()
        self.sandbox.control("POST", "clock", {"seconds": 4 * _DAY})

    def control(self, path: str, body: dict[str, Any]) -> Any:
        return self.sandbox.control("POST", f"bank/{path}", body)

    def arm(self, kind: str, operation: str = "bank.batches.create", **options: Any) -> None:
        self.sandbox.arm(kind, operation=operation, account=self.key, **options)

    def lose_answer(self) -> None:
        """The batch is taken, and then there is silence."""
        self._silence("charged_but_timeout")

    def lose_request(self) -> None:
        """Silence, and no batch."""
        self._silence("not_charged_timeout")

    def _silence(self, kind: str) -> None:
        self._settings.PSP_READ_TIMEOUT = self._settings.PSP_DEADLINE = 0.6
        self.arm(kind, seconds=5)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """The provider's name leads nowhere."""
        with pytest.MonkeyPatch.context() as place:
            place.setattr("socket.create_connection", _refused)
            yield

    def effects(self) -> dict[str, tuple[int, int]]:
        """The provider's journal: of each reference how often it was paid, and what stayed paid."""
        rows = self.sandbox.control("GET", f"bank/totals?owner={self.key}")["data"]
        return {row["ref_code"]: (row["payments"], row["net"]) for row in rows if row["payments"]}


def _refused(*args: Any, **kwargs: Any) -> None:
    raise ConnectionRefusedError("nobody listens")
