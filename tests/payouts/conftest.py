"""A store whose seller has money and an account to be paid to, and a provider on paper."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from channels import services as channels
from channels.types import ChannelData
from core import clock
from core.approvals import at_decision_edge
from core.audits import run_audits
from core.drain import get_drain
from core.ids import public_id
from core.settings_store import put_setting
from core.transactions import at_edge
from merchants.services import create_seller, submit_kyc, verify_kyc
from payouts import services
from payouts.models import Payout, PayoutBatch
from payouts.providers import contract
from payouts.types import DestinationData
from tests.openapi.contract import check_events
from tests.payouts.paper import NAME, Paper
from tests.payouts.ready import add_account, give
from tests.store import Store, open_store
from wallet.selectors import wallets_of
from wallet.types import WalletData

__all__ = ["Payer", "open_payer"]

MAKER, CHECKER, OTHER = "user:mia", "user:carl", "user:olga"


@dataclass
class Payer:
    """A merchant that pays `ann` out in EUR over a provider on paper."""

    store: Store
    paper: Paper
    channel: ChannelData
    sellers: dict[str, UUID] = field(default_factory=dict)
    places: dict[str, DestinationData] = field(default_factory=dict)

    @property
    def merchant_id(self) -> UUID:
        """The merchant."""
        return self.store.merchant_id

    def seller(self, account: str, *, money: int = 0, is_verified: bool = True, iban: str = "") -> UUID:
        """Open a seller with a usable destination and this much to spend."""
        with transaction.atomic():
            made = create_seller(
                merchant_id=self.merchant_id, seller_account=account, name=account.title(), country="DE"
            )
            self.sellers[account] = made.id
            if is_verified:
                for step in (submit_kyc, verify_kyc):
                    step(merchant_id=self.merchant_id, seller_id=made.id, why="test", by="user:test")
        self.places[account] = self.place(account, iban=iban)
        if money:
            self.fill(account, money)
        return made.id

    def place(self, account: str, **options: Any) -> DestinationData:
        """Give a seller another destination, which a second person has verified; nothing cools down."""
        return add_account(self.merchant_id, account, **options)

    def fill(self, account: str, amount_minor: int) -> None:
        """Give a seller money; what the seller owes is paid first."""
        give(self.merchant_id, account, amount_minor)

    def owe(self, account: str, amount_minor: int) -> None:
        """A refund that the seller cannot pay."""
        give(self.merchant_id, account, amount_minor, take_from="seller_receivable")

    def set(self, name: str, value: Any) -> None:
        """Set a setting of the merchant."""
        with transaction.atomic():
            scope = public_id("mer", self.merchant_id)
            put_setting(name=name, value=value, actor="user:test", reason="test", scope=scope)

    def trust(self, above_minor: int = 10**9, **fee: Any) -> None:
        """Let payouts up to this amount leave without a second person."""
        self.set("payouts.review_above", {"*": above_minor})
        if fee:
            self.set("payouts.fee", {"EUR": fee})

    def ask(self, amount_minor: int = 5000, account: str = "ann", **other: Any) -> Payout:
        """Ask for a payout by the services."""
        wanted = {"origin": "console", "by": MAKER, "currency": "EUR"} | other
        return at_edge(services.request_payout)(
            merchant_id=self.merchant_id, seller=account, amount_minor=amount_minor, **wanted
        )

    def approve(self, payout: Payout, by: str = CHECKER) -> Payout:
        """Say yes to what is asked about now."""
        from payouts.selectors import instruction_of

        shown = instruction_of(payout_id=payout.id).digest
        return at_decision_edge(services.approve_payout)(payout_id=payout.id, checker=by, digest=shown)

    def work(self, rounds: int = 1) -> None:
        """Put together what may leave, send it, and ask about what is due."""
        for _ in range(rounds):
            get_drain("payouts").run()
            get_drain("payout_batches").run()

    def later(self, seconds: int) -> None:
        """Let time pass and do what is due then; needs the fixture `hooks`."""
        clock.move(seconds=seconds)
        self.work()

    def wallet(self, account: str = "ann") -> WalletData:
        """The seller's wallet."""
        seller_id = self.sellers[account]
        [found] = wallets_of(merchant_id=self.merchant_id, owner_type="seller", owner_id=seller_id)
        return found

    def look(self, payout: Payout) -> Payout:
        """The payout as it is now."""
        return Payout.objects.select_related("seller", "destination").get(pk=payout.pk)

    def batch(self) -> PayoutBatch:
        """The only batch."""
        return PayoutBatch.objects.get(merchant_id=self.merchant_id)

    def events(self, payout: Payout) -> list[str]:
        """What was told of a payout, in order."""
        from core.models import OutboxEvent

        told = OutboxEvent.objects.filter(subject=payout.public_id).order_by("sequence")
        return [each.removeprefix("payout.") for each in told.values_list("type", flat=True)]


def open_payer(monkeypatch: pytest.MonkeyPatch, **capabilities: Any) -> Payer:
    """A merchant with a paper channel and the seller ann, who has 1000.00 EUR."""
    paper = Paper()
    monkeypatch.setattr(channels, "PROVIDERS", frozenset({*channels.PROVIDERS, NAME}))
    monkeypatch.setitem(contract._PROVIDERS, NAME, paper)
    store = open_store()
    with transaction.atomic():
        channel = channels.create_channel(
            merchant_id=store.merchant_id,
            name=f"paper-{uuid4().hex[:8]}",
            provider=NAME,
            secret_key="sk_test_paper",
            capabilities={"payouts": {"kinds": ["iban"], "currencies": ["EUR", "JPY", "KWD"]}} | capabilities,
        )
    payer = Payer(store, paper, channel)
    payer.set("payouts.destination_cool_down_hours", 0)
    payer.seller("ann", money=100_000)
    return payer


@pytest.fixture
def store(db: None) -> Store:
    """A merchant with a key."""
    return open_store()


@pytest.fixture
def payer(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Payer]:
    """The merchant; whatever the test did, every audit is clean afterwards."""
    yield open_payer(monkeypatch)
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]
