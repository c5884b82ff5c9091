"""A merchant that is a customer of the sandbox's bank, whose journal is the judge of what was paid."""

from typing import Any
from uuid import uuid4

from django.db import transaction

from channels.services import create_channel
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.conftest import Payer
from tests.payouts.paper import Paper
from tests.payouts.providers.banks import DEBTOR_ACCOUNT
from tests.store import open_store

__all__ = ["WAYS", "Customer"]

_DAY = 86_400
# What a channel needs beside its key, by provider.
WAYS = {
    "sandbox": {"webhook_secret": "bks_current"},
    "sepa": {"debtor": DEBTOR_ACCOUNT},
}


class Customer(Payer):
    """A merchant that is a customer of the bank; nothing cools down, and the fee is 1.00."""

    def __init__(self, far_side: SandboxProcess, provider: str) -> None:
        self.far_side, self.key = far_side, f"bk_test_{uuid4().hex[:12]}"
        store = open_store()
        offers = {
            "kinds": ["iban"],
            "currencies": ["EUR"],
            "transport": "http",
            "message": "pain.001.001.03",
        }
        with transaction.atomic():
            channel = create_channel(
                merchant_id=store.merchant_id,
                name=f"bank-{uuid4().hex[:8]}",
                provider=provider,
                secret_key=self.key,
                base_url=far_side.url,
                capabilities={"payouts": offers},
                **WAYS[provider],  # type: ignore[arg-type]
            )
        super().__init__(store, Paper(), channel)
        self.set("payouts.destination_cool_down_hours", 0)
        self.trust(fixed_minor=100)

    def decide(self) -> None:
        """The bank reads, decides, and days pass in which money comes back."""
        self.far_side.control("POST", "clock", {"seconds": 0})
        self.far_side.control("POST", "bank/settle", {"owner": self.key})
        self.far_side.control("POST", "clock", {"seconds": 4 * _DAY})

    def journal(self) -> list[dict[str, Any]]:
        """The bank's journal: for each reference how often it was paid, and how much."""
        data: list[dict[str, Any]] = self.far_side.control("GET", f"bank/totals?owner={self.key}")["data"]
        return [each | {"reference": each.get("ref_code") or each["end_to_end_id"]} for each in data]

    def effects(self) -> dict[str, int]:
        """How often each reference was paid."""
        return {each["reference"]: each["payments"] for each in self.journal()}
