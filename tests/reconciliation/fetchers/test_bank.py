"""A bank's statements over HTTP, from the sandbox's bank."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.db import transaction

from channels.services import create_channel
from channels.types import ChannelData
from core import clock
from core.errors import DomainError
from reconciliation.services import fetch_due
from reconciliation.types import SourceData
from tests.channels.lines import open_merchant
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.providers.banks import DEBTOR_ACCOUNT
from tests.reconciliation.setup import files_of, runs, set_up

pytestmark = pytest.mark.django_db
_DAY = 86_400
IBAN = DEBTOR_ACCOUNT["iban"].replace(" ", "")


@pytest.fixture
def channel(sandbox: SandboxProcess, hooks: Path) -> ChannelData:
    """A line to the bank, on a day that is like any other on both sides."""
    there = float(sandbox.control("GET", "clock")["now"])
    clock.move(seconds=round(there - clock.now().timestamp()))
    with transaction.atomic():
        return create_channel(
            merchant_id=open_merchant(),
            name=f"bank-{uuid4().hex[:8]}",
            provider="sepa",
            secret_key=f"bk_test_{uuid4().hex[:12]}",
            base_url=sandbox.url,
            capabilities={"payouts": {"transport": "http"}},
            debtor=DEBTOR_ACCOUNT,
        )


def source_of(channel: ChannelData, **changes: object) -> SourceData:
    """The statements of the account, since two days ago."""
    values = {
        "kind": "bank",
        "provider": "sepa",
        "channel_id": channel.id,
        "format": "camt.053",
        "fetcher": "bank",
        "account": IBAN,
        "begins_on": clock.today() - timedelta(days=2),
    }
    return set_up(channel.merchant_id, **values | changes)


def fund(sandbox: SandboxProcess, channel: ChannelData) -> None:
    """Open the account at the bank, by the first file that is put there."""


def test_an_account_that_the_bank_does_not_know_has_no_statement_yet(channel: ChannelData) -> None:
    """No failure: the bank answered. It is asked again later."""
    source = source_of(channel)
    assert fetch_due().failed == 0 and files_of(source) == []
    assert {run.summary["says"] for run in runs(source).values()} == {"the bank has no statement of the account"}
