"""The whole way over real HTTP to the sandbox's bank, by API and by file drop: its journal is the judge."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.db import transaction

from channels import breaker, rows
from channels.selectors import calls_of
from channels.services import create_channel
from core.audits import run_audits
from tests.openapi.contract import check_events
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.conftest import Payer
from tests.payouts.paper import Paper
from tests.payouts.providers.banks import _DEBTOR
from tests.payouts.providers.conftest import sandbox
from tests.payouts.providers.payables import ACCOUNTS
from tests.store import open_store

__all__ = ["sandbox"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hooks")]
_DAY = 86_400
_WAYS = {
    "sandbox": {"webhook_secret": "bks_current"},
    "sepa": {"debtor": _DEBTOR},
}


class Customer(Payer):
    """A merchant that is a customer of the bank, with one seller for each thing that can happen."""

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
                **_WAYS[provider],  # type: ignore[arg-type]
            )
        super().__init__(store, Paper(), channel)
        self.set("payouts.destination_cool_down_hours", 0)
        self.trust(fixed_minor=100)
        for name in ("paid", "closed", "returned"):
            self.seller(name, money=10_000, iban=ACCOUNTS[name])

    def decide(self) -> None:
        """The bank reads, decides, and days pass in which money comes back."""
        self.far_side.control("POST", "clock", {"seconds": 0})
        self.far_side.control("POST", "bank/settle", {"owner": self.key})
        self.far_side.control("POST", "clock", {"seconds": 4 * _DAY})

    def effects(self) -> dict[str, int]:
        """The bank's journal: how often each reference was paid."""
        data = self.far_side.control("GET", f"bank/totals?owner={self.key}")["data"]
        return {each.get("ref_code") or each["end_to_end_id"]: each["payments"] for each in data}


@pytest.fixture(params=list(_WAYS))
def customer(
    sandbox: SandboxProcess,
    transactional_db: None,
    request: pytest.FixtureRequest,
) -> Iterator[Customer]:
    rows.forget()
    breaker.forget()
    yield Customer(sandbox, request.param)
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


def finished(customer: Customer, payouts: dict[str, Any]) -> dict[str, str]:
    """Let the bank do all that it will ever do, and ask."""
    customer.decide()
    for _ in range(4):
        customer.later(3600)
    return {name: customer.look(payout).status for name, payout in payouts.items()}


ENDS = {"paid": "PAID", "closed": "FAILED", "returned": "RETURNED"}


def test_paid_refused_and_sent_back(customer: Customer) -> None:
    """F-F3, F-F13, I31, I32: one batch, three ends, each paid as often as the bank says: once or never."""
    payouts = {name: customer.ask(5000, name) for name in ENDS}
    customer.work()
    assert finished(customer, payouts) == ENDS
    assert customer.wallet("paid").available_minor == 10_000 - 5100
    assert customer.wallet("closed").available_minor == 10_000
    assert customer.wallet("returned").available_minor == 10_000 - 100
    assert set(customer.effects().values()) == {1}
    batch = customer.batch()
    assert batch.status == "CLOSED"
    calls = calls_of(merchant_id=customer.merchant_id, operation_id=batch.id)
    assert calls and not any(number.encode() in each.body for each in calls for number in ACCOUNTS.values())


def test_taken_and_then_silence(customer: Customer, settings: Any) -> None:
    """F-F2, F-F5: the bank took it and the line went dead: UNKNOWN, asked about, paid once."""
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 1.0
    operation = {"sandbox": "bank.batches.create", "sepa": "bank.files.put"}[customer.channel.provider]
    customer.far_side.arm("charged_but_timeout", operation=operation, account=customer.key, seconds=5)
    payouts = {name: customer.ask(5000, name) for name in ("paid", "returned")}
    customer.work()
    assert {customer.look(each).status for each in payouts.values()} == {"UNKNOWN"}
    assert finished(customer, payouts) == {name: ENDS[name] for name in payouts}
    assert set(customer.effects().values()) == {1}
