"""A bank's statements over HTTP, from the sandbox's bank."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from channels.services import create_channel
from channels.types import ChannelData
from core import clock
from reconciliation.models import BankStatement
from reconciliation.services import fetch_due
from reconciliation.types import SourceData
from tests.channels.lines import open_merchant
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.banks import DEBTOR_ACCOUNT
from tests.reconciliation.setup import files_of, runs, set_up, stage

pytestmark = pytest.mark.django_db
_DAY = 86_400
IBAN = DEBTOR_ACCOUNT["iban"].replace(" ", "")
KEYS: dict[UUID, str] = {}


@pytest.fixture
def channel(sandbox: SandboxProcess, hooks: Path) -> ChannelData:
    """A line to the bank, on a day that is like any other on both sides."""
    there = float(sandbox.control("GET", "clock")["now"])
    clock.move(seconds=round(there - clock.now().timestamp()))
    key = f"bk_test_{uuid4().hex[:12]}"
    with transaction.atomic():
        made = create_channel(
            merchant_id=open_merchant(),
            name=f"bank-{uuid4().hex[:8]}",
            provider="sepa",
            secret_key=key,
            base_url=sandbox.url,
            capabilities={"payouts": {"transport": "http"}},
            debtor=DEBTOR_ACCOUNT,
        )
    KEYS[made.id] = key
    return made


def source_of(channel: ChannelData, **changes: Any) -> SourceData:
    """The statements of the account, since two days ago."""
    values: dict[str, Any] = {
        "kind": "bank",
        "provider": "sepa",
        "channel_id": channel.id,
        "format": "camt.053",
        "fetcher": "bank",
        "account": IBAN,
        "begins_on": clock.today() - timedelta(days=2),
    }
    return set_up(channel.merchant_id, **values | changes)


def test_an_account_that_the_bank_does_not_know_has_no_statement_yet(channel: ChannelData) -> None:
    """No failure: the bank answered. It is asked again later."""
    source = source_of(channel)
    assert fetch_due().failed == 0 and files_of(source) == []
    assert {run.summary["says"] for run in runs(source).values()} == {
        "the bank has no statement of the account"
    }


def test_days_are_fetched_and_follow_on_each_other(channel: ChannelData, sandbox: SandboxProcess) -> None:
    """Money that came in stands in the statement of its day, and in the balance of the next one."""
    key = KEYS[channel.id]
    sandbox.control("POST", f"bank/accounts/{IBAN}", {"owner": key, "currency": "EUR", "balance": "100.00"})
    move(sandbox, days=1)
    sandbox.control(
        "POST", f"bank/accounts/{IBAN}/entries", {"owner": key, "amount": "12.34", "text": "rent"}
    )
    move(sandbox, days=2)
    source = source_of(channel)
    assert fetch_due().received == 2
    stage()
    files = files_of(source)
    assert [file.status for file in files] == ["PUBLISHED"] * 2, [file.refusal for file in files]
    first, second = BankStatement.objects.filter(source_id=source.id).order_by("period_to")
    assert [each.status for each in (first, second)] == ["LIVE", "LIVE"]
    assert (first.total_minor, first.closing_minor, second.opening_minor) == (1234, 11_234, 11_234)
    assert fetch_due().done == 2


def test_holidays_are_fetched_with_the_next_business_day(
    channel: ChannelData, sandbox: SandboxProcess
) -> None:
    """One statement for each day, so that none is missing in between."""
    key = KEYS[channel.id]
    sandbox.control("POST", f"bank/accounts/{IBAN}", {"owner": key, "currency": "EUR"})
    days = (7 - clock.today().weekday()) % 7 or 7
    move(sandbox, days=days + 1)  # Monday is over.
    source = source_of(channel, calendar="WEEKDAYS", begins_on=clock.today() - timedelta(days=3))
    assert fetch_due().received == 3
    assert [file.asked_to.weekday() for file in files_of(source) if file.asked_to] == [5, 6, 0]


def test_a_bank_that_breaks_off_leaves_nothing(channel: ChannelData, sandbox: SandboxProcess) -> None:
    """What is cut off is no file: the day is tried again."""
    key = KEYS[channel.id]
    sandbox.control("POST", f"bank/accounts/{IBAN}", {"owner": key, "currency": "EUR"})
    source = source_of(channel, begins_on=clock.today() - timedelta(days=1))
    sandbox.arm("truncated_json", operation="bank.statements.retrieve")
    assert fetch_due().failed == 1 and files_of(source) == []
    [run] = runs(source).values()
    assert "cut off" in run.summary["says"]
    clock.move(seconds=90)
    assert fetch_due().received == 1


def move(sandbox: SandboxProcess, *, days: int) -> None:
    """Let days pass, here and there."""
    sandbox.control("POST", "clock", {"seconds": days * _DAY})
    clock.move(seconds=days * _DAY)
