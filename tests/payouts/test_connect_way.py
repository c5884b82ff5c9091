"""A payout through Stripe Connect: the engine, the adapter, a provider as a process, its webhooks."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest

from core import clock
from core.drain import get_drain
from core.models import Case
from payouts.models import Payout
from tests.payments.psp.sandbox_process import SandboxProcess
from tests.payouts.conftest import Payer
from tests.payouts.providers.connected import Platform
from tests.payouts.ready import add_account
from tests.store import client

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
SECRET = "whsec_connect"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    process = SandboxProcess(tmp_path_factory.mktemp("sandbox"))
    yield process
    process.stop()


class Connected:
    """The seller ann, who is paid into a connected account."""

    def __init__(self, payer: Payer, sandbox: SandboxProcess) -> None:
        capabilities = {"payouts": {"kinds": ["stripe_account"], "currencies": ["EUR"]}}
        self.payer = payer
        self.platform = Platform(
            sandbox, merchant_id=payer.merchant_id, capabilities=capabilities, webhook_secret=SECRET
        )
        self.account = self.platform.seller()
        self.place = add_account(payer.merchant_id, "ann", is_default=False, connected=self.account)
        payer.trust()

    def ask(self) -> Payout:
        return self.payer.ask(destination=self.place.public_id)

    def look(self, payout: Payout) -> Payout:
        return self.payer.look(payout)

    def hear(self, kind: str, *, account: str = "") -> None:
        """Deliver the provider's events of a type, as it does, and let the worker read them."""
        for event in self.platform.events(kind, account=account):
            body, stamp = json.dumps(event).encode(), int(clock.now().timestamp())
            proof = hmac.new(SECRET.encode(), b"%d." % stamp + body, hashlib.sha256).hexdigest()
            answer = client().generic(
                "POST",
                f"/psp/{self.platform.channel.name}/webhooks",
                body,
                "application/json",
                headers={"Stripe-Signature": f"t={stamp},v1={proof}"},
            )
            assert answer.status_code == 200
        get_drain("inbox").run()


@pytest.fixture
def connected(payer: Payer, sandbox: SandboxProcess, settings: Any) -> Connected:
    settings.PSP_READ_TIMEOUT = settings.PSP_DEADLINE = 1.0
    return Connected(payer, sandbox)


def test_it_is_paid_by_the_transfer_and_returned_by_its_reversal_f_f3(connected: Connected) -> None:
    """F-F3, I32: paid, and days later the transfer is taken back; told twice, it is returned once."""
    platform = connected.platform
    platform.top_up(5000, "eur")
    payout = connected.ask()
    connected.payer.work()
    payout = connected.look(payout)
    assert (payout.status, connected.payer.wallet().held_minor) == ("PAID", 0)
    assert (payout.provider_reference or "").startswith("tr_")
    assert (platform.moved(), connected.payer.batch().status) == ([-5000], "CLOSED")
    connected.hear("transfer.created")
    assert connected.look(payout).status == "PAID"

    platform.sandbox.control("POST", f"transfers/{payout.provider_reference}/reversal", {})
    for _ in range(2):
        connected.hear("transfer.reversed")
    payout = connected.look(payout)
    assert (payout.status, payout.failure["code"]) == ("RETURNED", "payout_returned")
    assert connected.payer.wallet().available_minor == 100_000
    assert connected.payer.events(payout) == ["requested", "approved", "sent", "paid", "returned"]


def test_a_lost_answer_is_found_and_paid_once_f_f2(connected: Connected, hooks: Any) -> None:
    """F-F2, I27: unknown, its money held, then found under our reference."""
    connected.platform.top_up(5000, "eur")
    connected.platform.arm("charged_but_timeout", operation="transfers.create")
    payout = connected.ask()
    connected.payer.work()
    assert (connected.look(payout).status, connected.payer.wallet().held_minor) == ("UNKNOWN", 5000)
    connected.payer.later(3)
    assert (connected.look(payout).status, connected.platform.moved()) == ("PAID", [-5000])


def test_a_lost_request_is_sent_again_and_paid_once_f_f2(connected: Connected, hooks: Any) -> None:
    """F-F2: not before it is sure that it never arrived, and then under the same reference."""
    connected.platform.top_up(5000, "eur")
    connected.platform.arm("not_charged_timeout", operation="transfers.create")
    payout = connected.ask()
    connected.payer.work()
    connected.payer.later(3)
    assert (connected.look(payout).status, connected.platform.moved()) == ("UNKNOWN", [])
    connected.payer.later(150)
    assert (connected.look(payout).status, connected.platform.moved()) == ("PAID", [-5000])


def test_a_short_balance_of_ours_is_waited_for(connected: Connected, hooks: Any) -> None:
    """The seller's payout waits; nothing fails and nothing is given back."""
    payout = connected.ask()
    connected.payer.work()
    assert (connected.look(payout).status, connected.payer.wallet().held_minor) == ("APPROVED", 5000)
    connected.platform.top_up(5000, "eur")
    connected.payer.later(10)
    assert (connected.look(payout).status, connected.platform.moved()) == ("PAID", [-5000])


def test_an_account_that_cannot_be_paid_fails_and_gives_the_money_back(connected: Connected) -> None:
    """I31: the seller has the money again, and nothing more is sent to that account."""
    connected.platform.top_up(5000, "eur")
    connected.platform.sandbox.control("POST", f"accounts/{connected.account}", {"transfers": "inactive"})
    payout = connected.ask()
    connected.payer.work()
    payout = connected.look(payout)
    assert (payout.status, payout.failure["code"]) == ("FAILED", "destination_blocked")
    assert payout.destination.status == "REJECTED"
    wallet = connected.payer.wallet()
    assert (wallet.available_minor, wallet.held_minor) == (100_000, 0)


def test_a_part_that_is_taken_back_posts_nothing_and_is_shown(connected: Connected) -> None:
    """An amount that is not ours: nobody guesses."""
    connected.platform.top_up(5000, "eur")
    payout = connected.ask()
    connected.payer.work()
    reference = connected.look(payout).provider_reference
    connected.platform.sandbox.control("POST", f"transfers/{reference}/reversal", {"amount": 500})
    connected.hear("transfer.reversed")
    assert connected.look(payout).status == "PAID"
    assert Case.objects.get(kind="payout_conflict").value_minor == 5000


def test_a_bank_that_refuses_the_seller_is_shown_and_changes_nothing(connected: Connected) -> None:
    """F-F3: the money lies in the seller's account at the provider, where it was paid to."""
    platform = connected.platform
    platform.top_up(5000, "eur")
    bank = {"object": "bank_account", "country": "DE", "currency": "eur", "account_number": "DE8937040044"}
    wishes = {"type": "custom", "capabilities[transfers][requested]": "true"}
    wishes |= {f"external_account[{name}]": value for name, value in bank.items()}
    account = str(platform.post("accounts", wishes)["id"])
    connected.place = add_account(connected.payer.merchant_id, "ann", is_default=False, connected=account)
    payout = connected.ask()
    connected.payer.work()
    there = platform.post("payouts", {"amount": "5000", "currency": "eur"}, account=account)
    platform.sandbox.control("POST", f"payouts/{there['id']}/settle", {})
    platform.sandbox.control("POST", f"payouts/{there['id']}/fail", {"failure_code": "account_closed"})
    connected.hear("payout.failed", account=account)
    assert connected.look(payout).status == "PAID"
    case = Case.objects.get(kind="seller_bank_payout_failed")
    assert (case.value_minor, case.currency) == (5000, "EUR")
