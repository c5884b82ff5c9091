"""The whole way of a payout over the sandbox's payables API: from the request to the callback days later."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from channels import breaker
from channels import services as channels
from core.audits import run_audits
from core.drain import get_drain
from payouts.models import Payout
from tests.payments.psp.sandbox_process import SandboxProcess, wait_for
from tests.payouts.conftest import Payer, open_payer
from tests.payouts.providers.payables import ACCOUNTS, PayablesBench
from tests.payouts.ready import add_account
from tests.sandbox.conftest import Receiver

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


class Way:
    """A payer whose channel is the sandbox's, and the callbacks on their way to it."""

    def __init__(self, payer: Payer, bench: PayablesBench, heard: Receiver) -> None:
        self.payer, self.bench, self.heard = payer, bench, heard

    def ask(self, outcome: str) -> Payout:
        """Ask for a payout to an account that ends so, and let it leave."""
        place = add_account(self.payer.merchant_id, "ann", is_default=False, iban=ACCOUNTS[outcome])
        payout = self.payer.ask(5000, destination=place.public_id)
        self.payer.work()
        return self.payer.look(payout)

    def status(self, payout: Payout) -> str:
        return self.payer.look(payout).status

    def callbacks(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first so many callbacks that the provider sent."""
        wait_for(lambda: len(self.heard.got) >= count)
        return self.heard.got[:count]

    def deliver(self, *callbacks: tuple[dict[str, str], bytes]) -> list[int]:
        """Bring callbacks to the door, and act on what came in; what the door answered."""
        answers = [
            Client()
            .post(
                f"/psp/{self.bench.channel.name}/webhooks",
                raw,
                content_type="application/json",
                headers={name: headers[name] for name in ("x-bank-timestamp", "x-bank-signature")},
            )
            .status_code
            for headers, raw in callbacks
        ]
        get_drain("inbox").run()
        return answers


@pytest.fixture
def way(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch, sandbox: SandboxProcess, settings: Any
) -> Iterator[Way]:
    breaker.forget()
    payer = open_payer(monkeypatch)
    with transaction.atomic():
        channels.set_enabled(channel_id=payer.channel.id, enabled=False, actor="user:test", reason="test")
    bench = PayablesBench(sandbox, settings, merchant_id=payer.merchant_id)
    heard = Receiver()
    events = ["payment.submitted", "payment.paid", "payment.rejected", "payment.returned"]
    bench.control(
        "callbacks", {"owner": bench.key, "url": heard.url, "secret": "bks_current", "events": events}
    )
    payer.trust()
    yield Way(payer, bench, heard)
    heard.server.shutdown()
    heard.server.server_close()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


def test_paid_and_returned_days_later_by_callbacks(way: Way) -> None:
    """F-F3, I32: told twice and the wrong way round, the seller is paid once and has the money back once."""
    payout = way.ask("returned")
    assert payout.status == "SENT"
    way.bench.settle()
    submitted, paid = way.callbacks(2)
    assert way.deliver(paid, submitted, paid) == [200, 200, 200]
    assert (way.status(payout), way.payer.wallet().available_minor) == ("PAID", 95_000)
    way.bench.take_time()
    *_, returned = way.callbacks(3)
    assert way.deliver(returned, paid, returned) == [200, 200, 200]
    assert (way.status(payout), way.payer.wallet().available_minor) == ("RETURNED", 100_000)
    assert list(way.bench.effects().values()) == [(1, 0)]


def test_a_forged_callback_moves_nothing(way: Way) -> None:
    """A-B1"""
    payout = way.ask("paid")
    [(headers, raw)] = way.callbacks(1)
    lie = raw.replace(b"submitted", b"returned")
    assert way.deliver((headers, lie), ({**headers, "x-bank-timestamp": "1"}, raw)) == [401, 401]
    assert way.status(payout) == "SENT"


def test_accepted_and_then_silence_is_paid_once(way: Way, hooks: Any) -> None:
    """F-F2, I27: unknown is asked about under our reference; the money waits meanwhile."""
    way.bench.lose_answer()
    payout = way.ask("paid")
    assert (payout.status, way.payer.wallet().held_minor) == ("UNKNOWN", 5000)
    way.payer.later(3600)
    assert (way.status(payout), way.payer.look(payout).attempts) == ("SENT", 1)
    way.bench.settle()
    way.payer.later(86_400)
    assert way.status(payout) == "PAID"
    assert list(way.bench.effects().values()) == [(1, 5000)]


def test_a_callback_that_comes_before_the_answer_is_believed(way: Way, hooks: Any) -> None:
    """F-F2: the provider tells that it paid while we do not know whether it heard us."""
    way.bench.lose_answer()
    payout = way.ask("paid")
    way.bench.settle()
    way.deliver(*way.callbacks(2))
    assert way.status(payout) == "PAID"
    way.payer.later(86_400)
    assert (way.status(payout), list(way.bench.effects().values())) == ("PAID", [(1, 5000)])


def test_what_the_bank_rejects_gives_the_money_back(way: Way) -> None:
    """F-F13: at once, and when it is only found later."""
    first = way.ask("wrong")
    assert (first.status, way.payer.wallet().available_minor) == ("FAILED", 100_000)
    second = way.ask("closed")
    assert second.status == "SENT"
    way.bench.settle()
    way.deliver(*way.callbacks(3))
    assert (way.status(second), way.payer.wallet().available_minor) == ("FAILED", 100_000)
    assert way.bench.effects() == {}
