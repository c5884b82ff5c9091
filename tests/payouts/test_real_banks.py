"""The whole way over real HTTP to the sandbox's bank, by API and by file drop: its journal is the judge."""

from collections.abc import Iterator
from typing import Any

import pytest

from channels import breaker, rows
from channels.selectors import calls_of
from core.audits import run_audits
from tests.openapi.contract import check_events
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.customer import WAYS, Customer
from tests.payouts.providers.conftest import sandbox
from tests.payouts.providers.payables import ACCOUNTS

__all__ = ["sandbox"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("hooks")]


@pytest.fixture(params=list(WAYS))
def customer(
    sandbox: SandboxProcess,
    transactional_db: None,
    request: pytest.FixtureRequest,
) -> Iterator[Customer]:
    rows.forget()
    breaker.forget()
    customer = Customer(sandbox, request.param)
    for name in ("paid", "closed", "returned"):
        customer.seller(name, money=10_000, iban=ACCOUNTS[name])
    yield customer
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
