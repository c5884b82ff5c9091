"""A store whose seller has money and an account to be paid to, and a provider on paper."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import transaction

from channels import services as channels
from channels.types import ChannelData
from core import clock
from core.approvals import at_decision_edge
from core.audits import run_audits
from core.canonical import digest
from core.drain import get_drain
from core.ids import public_id
from core.settings_store import put_setting
from core.transactions import at_edge
from ledger.services import open_account
from ledger.templates.entry import Posting, credit, debit, entry
from merchants.services import create_seller, submit_kyc, verify_kyc
from payouts import services
from payouts.models import Destination, Payout, PayoutBatch
from payouts.providers import contract
from tests.openapi.contract import check_events
from tests.payouts.paper import NAME, Paper
from tests.store import Store, open_store
from wallet.selectors import wallets_of
from wallet.services import account_of, moves_for, post
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
    places: dict[str, Destination] = field(default_factory=dict)

    @property
    def merchant_id(self) -> UUID:
        """The merchant."""
        return self.store.merchant_id

    def seller(self, account: str, *, money: int = 0, is_verified: bool = True) -> UUID:
        """Open a seller with a usable destination and this much to spend."""
        with transaction.atomic():
            made = create_seller(
                merchant_id=self.merchant_id, seller_account=account, name=account.title(), country="DE"
            )
            self.sellers[account] = made.id
            if is_verified:
                for step in (submit_kyc, verify_kyc):
                    step(merchant_id=self.merchant_id, seller_id=made.id, why="test", by="user:test")
        self.places[account] = self.place(account)
        if money:
            self.fill(account, money)
        return made.id

    def place(self, account: str, *, is_default: bool = True, **other: Any) -> Destination:
        """Give a seller a verified destination."""
        at = clock.now() - timedelta(days=30)
        number = uuid4().hex[:10]
        row = Destination(
            merchant_id=self.merchant_id,
            seller_id=self.sellers[account],
            kind="iban",
            country="DE",
            currency="EUR",
            details={"holder_name": account.title(), "iban": f"DE00{number}"},
            last4=number[-4:],
            fingerprint=digest(number),
            is_default=is_default,
            added_by=f"key_{account}",
            usable_from=at,
            created_at=at,
            updated_at=at,
        )
        for name, value in other.items():
            setattr(row, name, value)
        with transaction.atomic():
            row.save(force_insert=True)
            if "status" not in other:
                row.to_verified(verified_by=CHECKER, verified_at=at)
                row.save()
        return row

    def fill(self, account: str, amount_minor: int) -> None:
        """Give a seller money, as a migration from another system would (opening balance)."""
        with transaction.atomic():
            owned = {"merchant_id": self.merchant_id, "currency": "EUR"}
            available = account_of(
                owner_type="seller", owner_id=self.sellers[account], role="seller_available", **owned
            )
            opening = open_account(role="opening", **owned)
            draft = entry(
                posting=Posting(self.merchant_id, "EUR", clock.today()),
                kind="opening_balance",
                source="migration",
                source_ref=uuid4().hex,
                leg="balance",
                legs=[debit(opening, amount_minor), credit(available, amount_minor)],
            )
            post(drafts=[draft], moves=moves_for(drafts=[draft]))

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
    payer.seller("ann", money=100_000)
    return payer


@pytest.fixture
def payer(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Payer]:
    """The merchant; whatever the test did, every audit is clean afterwards."""
    yield open_payer(monkeypatch)
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in (*report.violated, *report.failed)]


def rounds(few: int = 10, many: int = 200) -> int:
    """How often a race is run: more under chaos."""
    return many if os.environ.get("HYPOTHESIS_PROFILE") == "chaos" else few


@pytest.fixture
def store(db: None) -> Store:
    """A merchant with a key."""
    return open_store()
