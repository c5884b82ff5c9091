"""An account of the provider that pays itself out every night, its bank, and what becomes of the files."""

from datetime import date
from typing import Any
from uuid import uuid4

from django.db import transaction

from channels.services import create_channel
from core import clock
from core.drain import get_drain
from reconciliation.matching.runs import DRAIN as RUNS
from reconciliation.services import fetch_due
from reconciliation.types import SourceData
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.connected import Platform
from tests.reconciliation.setup import set_up, stage

__all__ = ["Nights"]

_DAY = 86_400


class Nights:
    """An account of the provider that pays itself out every night, and the bank that its money reaches."""

    def __init__(self, sandbox: SandboxProcess) -> None:
        self.sandbox, self.platform = sandbox, Platform(sandbox)
        self.bank_key = f"bk_test_{uuid4().hex[:12]}"
        self._settles("daily")
        with transaction.atomic():
            bank = create_channel(
                merchant_id=self.platform.channel.merchant_id,
                name=f"bank-{uuid4().hex[:8]}",
                provider="sandbox",
                secret_key=self.bank_key,
                base_url=sandbox.url,
            )
        self.bank = bank
        now = float(sandbox.control("GET", "clock")["now"])
        clock.move(seconds=round(now - clock.now().timestamp()))
        self.begins_on = clock.today()

    def end(self) -> None:
        """Nights of this account do not go on through other tests."""
        self._settles("manual")

    def _settles(self, interval: str) -> None:
        wish = {"account": self.platform.key, "interval": interval, "bank": self.bank_key}
        self.sandbox.control("POST", "settlement_accounts", wish)

    def pay(self, amount: int) -> None:
        """A buyer pays."""
        self.platform.post(
            "payment_intents",
            {"amount": amount, "currency": "usd", "payment_method": "pm_card_visa", "confirm": "true",
             "payment_method_types[]": "card"},
        )  # fmt: skip

    def pass_days(self, days: int) -> None:
        """Days go by, one at a time, here and there."""
        for _ in range(days):
            self.sandbox.control("POST", "clock", {"seconds": _DAY})
            clock.move(seconds=_DAY)

    def truth(self, day: date) -> dict[str, Any]:
        """What the journals say of a day."""
        found = self.sandbox.control("GET", f"settlement?day={day}&account={self.platform.key}")["data"]
        return next((row for row in found if row["currency"] == "usd"), {})

    def reports(self, **changes: Any) -> SourceData:
        """The provider's reports."""
        given = {"channel_id": self.platform.channel.id, "fetcher": "stripe", "begins_on": self.begins_on}
        return set_up(self.platform.channel.merchant_id, **given | changes)

    def statements(self) -> SourceData:
        """The bank's statements."""
        return set_up(
            self.platform.channel.merchant_id,
            kind="bank",
            provider="sandbox",
            channel_id=self.bank.id,
            format="camt.053",
            fetcher="bank",
            account="PAYABLES-USD",
            begins_on=self.begins_on,
        )

    def plant(self, kind: str, **options: Any) -> None:
        """Arm a fault of settlement on the first day."""
        spec = {"kind": kind, "account": self.platform.key, "day": str(self.begins_on), **options}
        self.sandbox.control("POST", "settlement_faults", spec)

    def look(self) -> None:
        """Half an hour later: fetch what is due, read it, match it."""
        clock.move(seconds=1_860)
        fetch_due()
        stage()
        get_drain(RUNS).run()
