"""Payouts through a bank's files, from the request to the bank's word: engine, books and bank together."""

from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from core.audits import run_audits
from core.failpoints import arm, fired
from payouts.models import Destination, Payout, PayoutBatch
from payouts.providers.files.pain001 import VERSIONS
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.conftest import Payer
from tests.payouts.paper import Paper
from tests.payouts.providers.banks import Bank, DropBench, FolderBench
from tests.store import Store, open_store

pytestmark = [pytest.mark.django_db(transaction=True)]

# The last digits tell the bank what to do.
ACCOUNTS = {"ann": 370400440532013000, "bob": 370400440532019001, "cid": 370400440532013001}


@pytest.fixture
def home(transactional_db: None) -> Store:
    """The merchant that pays."""
    return open_store()


@pytest.fixture(params=["drop", "folder"])
def bench(
    request: pytest.FixtureRequest, home: Store, sandbox: SandboxProcess, settings: Any, tmp_path: Path
) -> DropBench | FolderBench:
    """A bank, and the channel that leads to it."""
    bank, merchant_id = Bank(sandbox), home.merchant_id
    if request.param == "drop":
        return DropBench(bank, settings, message=VERSIONS[1], merchant_id=merchant_id)
    settings.PAYOUT_FILES_DIR = str(tmp_path / "files")
    return FolderBench(bank, tmp_path / "files", merchant_id=merchant_id)


@pytest.fixture
def payer(home: Store, bench: DropBench | FolderBench, hooks: Path, monkeypatch: pytest.MonkeyPatch) -> Payer:
    """Three sellers with 1000.00 EUR each, of whom bob has closed his account."""
    accounts = iter(ACCOUNTS.values())
    monkeypatch.setattr("tests.payouts.ready.randrange", lambda _: next(accounts))
    payer = Payer(home, Paper(), bench.channel)
    payer.set("payouts.destination_cool_down_hours", 0)
    payer.trust()
    for account in ACCOUNTS:
        payer.seller(account, money=100_000)
    return payer


def test_the_bank_pays_two_and_refuses_one(payer: Payer, bench: DropBench | FolderBench) -> None:
    """Books, holds and the account that is closed; the evidence holds nobody's name or account."""
    wanted = {account: payer.ask(5000, account) for account in ACCOUNTS}
    payer.work()
    assert {payer.look(each).status for each in wanted.values()} == {"SENT"}
    batch = PayoutBatch.objects.get()
    assert (batch.file_name, batch.payouts_count, batch.total_minor) == (f"{batch.reference}.xml", 3, 15_000)
    bench.take_time()
    payer.later(60)
    ends = {account: payer.look(each) for account, each in wanted.items()}
    assert {account: each.status for account, each in ends.items()} == {
        "ann": "PAID", "bob": "FAILED", "cid": "PAID",
    }  # fmt: skip
    assert ends["bob"].failure == {
        "code": "destination_closed", "message": "The account is closed.", "provider_code": "AC04",
    }  # fmt: skip
    assert Destination.objects.get(pk=ends["bob"].destination_id).status == "REJECTED"
    assert [payer.wallet(account).available_minor for account in ACCOUNTS] == [95_000, 100_000, 95_000]
    assert payer.batch().status == "CLOSED"
    assert sorted(bench.effects().values()) == [(1, 5000), (1, 5000)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT body, error FROM channels_pspcall")
        kept = b" ".join(bytes(body) + error.encode() for body, error in cursor.fetchall())
    assert b"DE" + b"89" not in kept and b"Ann<" not in kept and b"destination" not in kept
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


@pytest.mark.parametrize("place", ["payouts.after_intent", "payouts.after_effect"])
def test_broken_off_before_and_after_the_file_left_f_f5(
    payer: Payer, bench: DropBench | FolderBench, place: str
) -> None:
    """F-F5, I27: the bank is asked; what it never had leaves under the same name, what it has does not."""
    payout = payer.ask(5000)
    arm(place, "raise")
    payer.work()
    assert len(fired(place)) == 1
    batch = PayoutBatch.objects.get()
    assert payer.look(payout).status in ("EXECUTING", "UNKNOWN")
    for _ in range(3):
        payer.later(120)
    assert payer.look(payout).status == "SENT"
    bench.take_time()
    for _ in range(3):
        payer.later(3600)
    assert payer.look(payout).status == "PAID"
    again = PayoutBatch.objects.get()
    assert (again.reference, bytes(again.sha256)) == (batch.reference, bytes(batch.sha256))
    assert list(bench.effects().values()) == [(1, 5000)]
    assert Payout.objects.get().sendings.count() == 1
