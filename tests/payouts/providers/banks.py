"""The sandbox's bank as the far side of bank files: over its drop, or through a folder by a courier."""

import itertools
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from channels.types import ChannelData
from payouts.providers.contract import BatchOrder, PayoutProvider
from payouts.providers.files import folder
from payouts.providers.sepa import SepaFiles
from tests.channels.lines import open_channel
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.orders import DEBTOR, IBAN, iban, instruction, order_of

__all__ = ["DEBTOR_ACCOUNT", "Bank", "DropBench", "FolderBench"]

_serial = itertools.count(1)
_ACCOUNTS = {
    "paid": IBAN,
    "closed": iban("DE", "370400440532019001"),
    "returned": iban("DE", "370400440532019004"),
}
DEBTOR_ACCOUNT = {"name": DEBTOR.name, "iban": DEBTOR.iban, "bic": DEBTOR.bic}
_PAYS = {"kinds": ["iban"], "currencies": ["EUR"]}
_DAY = 86_400


class Bank:
    """One customer's side of the bank: a key, hence an account of its own."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox = sandbox
        self.key = f"bk_test_{os.getpid()}_{next(_serial)}"

    def read(self) -> None:
        """Let the bank read what it has received."""
        self.sandbox.control("POST", "clock", {"seconds": 0})

    def decide(self) -> None:
        """Let the bank decide everything, and let the days pass in which money comes back."""
        self.read()
        self.sandbox.control("POST", "bank/settle", {"owner": self.key})
        self.sandbox.control("POST", "clock", {"seconds": 4 * _DAY})

    def effects(self) -> dict[str, tuple[int, int]]:
        """Of each reference that was paid: how often, and what stayed paid."""
        rows = self.sandbox.control("GET", f"bank/totals?owner={self.key}")["data"]
        return {row["end_to_end_id"]: (row["payments"], row["net"]) for row in rows if row["payments"]}

    def request(self, method: str, path: str, content: bytes | None = None) -> Any:
        """What the bank's own client does: one request, its JSON."""
        request = urllib.request.Request(
            f"{self.sandbox.url}/bank/{path}",
            content,
            {"Authorization": f"Bearer {self.key}", "Content-Type": "application/xml"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())


class _Bench:
    """What both ways have in common."""

    provider: PayoutProvider = SepaFiles()
    secrets = ("Ann Lee", *_ACCOUNTS.values(), DEBTOR.iban, DEBTOR.name)

    def __init__(self, bank: Bank, channel: ChannelData) -> None:
        self.bank, self.channel = bank, channel

    def order(self, *outcomes: str) -> BatchOrder:
        """An order to the bank, which goes by the last digits of an account."""
        amounts = itertools.count(1234)
        return order_of(
            [instruction(iban=_ACCOUNTS[outcome], amount_minor=next(amounts)) for outcome in outcomes]
        )

    def effects(self) -> dict[str, tuple[int, int]]:
        """The bank's journal."""
        return self.bank.effects()


class DropBench(_Bench):
    """Over the drop. `settings` are the test's own."""

    def __init__(self, bank: Bank, settings: Any, *, message: str, merchant_id: UUID | None = None) -> None:
        self._settings = settings
        channel = open_channel(
            provider="sepa",
            secret_key=bank.key,
            webhook_secret="",
            base_url=bank.sandbox.url,
            debtor=DEBTOR_ACCOUNT,
            capabilities={"payouts": {**_PAYS, "transport": "http", "message": message}},
            merchant_id=merchant_id,
        )
        super().__init__(bank, channel)

    def take_time(self) -> None:
        """All that the bank will ever do."""
        self.bank.decide()

    def lose_answer(self) -> None:
        """The file is taken, and then there is silence."""
        self._silence("charged_but_timeout")

    def lose_request(self) -> None:
        """Silence, and no file."""
        self._silence("not_charged_timeout")

    def _silence(self, kind: str) -> None:
        self._settings.PSP_READ_TIMEOUT = self._settings.PSP_DEADLINE = 1.0
        self.bank.sandbox.arm(kind, operation="bank.files.put", account=self.bank.key, seconds=5)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """The bank's name leads nowhere."""
        place = pytest.MonkeyPatch()
        place.setattr("socket.create_connection", _refused)
        try:
            yield
        finally:
            place.undo()


class FolderBench(_Bench):
    """Through a folder: a courier takes files to the bank and brings back its reports."""

    def __init__(self, bank: Bank, files: Path, *, merchant_id: UUID | None = None) -> None:
        channel = open_channel(
            provider="sepa",
            secret_key="",
            webhook_secret="",
            debtor=DEBTOR_ACCOUNT,
            capabilities={"payouts": _PAYS},
            merchant_id=merchant_id,
        )
        super().__init__(bank, channel)
        self.place = files / channel.name
        for part in ("outbox", "kept", "inbox"):
            (self.place / part).mkdir(parents=True)

    def courier(self) -> None:
        """Take what is laid out away to the bank; bring what it answers."""
        for file in (self.place / "outbox").glob("*.xml"):
            self.bank.request("PUT", f"files/{file.name}", file.read_bytes())
            file.unlink()
        self.bank.read()
        for row in self.bank.request("GET", "reports?after=0")["data"]:
            (self.place / "inbox" / row["name"]).write_text(row["content"])

    def take_time(self) -> None:
        """All that the bank will ever do."""
        self.courier()
        self.bank.decide()
        self.courier()

    def lose_answer(self) -> None:
        """The disk is full when the mark is written."""
        self._fail(at=3)

    def lose_request(self) -> None:
        """The disk is full when the file is to be laid out."""
        self._fail(at=2)

    def _fail(self, *, at: int) -> None:
        right: Callable[..., bool] = folder._create
        calls = itertools.count(1)
        patch = pytest.MonkeyPatch()

        def create(*args: Any) -> bool:
            if next(calls) < at:
                return right(*args)
            patch.undo()
            raise OSError(28, "No space left on device")

        patch.setattr(folder, "_create", create)

    @contextmanager
    def cut(self) -> Iterator[None]:
        """The disk is not mounted."""
        self.place.rename(self.place.with_name("elsewhere"))
        try:
            yield
        finally:
            self.place.with_name("elsewhere").rename(self.place)


def _refused(*args: Any, **kwargs: Any) -> None:
    raise ConnectionRefusedError("nobody listens")
