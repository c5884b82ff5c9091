"""A store, two sellers and the sandbox provider, for tests that pay for real."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.db import transaction

from channels.services import create_channel
from core import clock
from core.audits import run_audits
from core.drain import get_drain
from merchants.services import create_seller
from tests.openapi.contract import check_events
from tests.sandbox.conftest import Sandbox
from tests.store import Store, open_store

__all__ = ["Shop", "hosted", "open_shop"]


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The sandbox provider as its own process, webhooks off unless a test turns them on."""
    sandbox = Sandbox(tmp_path_factory.mktemp("provider"))
    sandbox.start()
    yield sandbox
    sandbox.end()


@dataclass
class Shop:
    """A merchant with sellers `ann` (10 % and 20 % tax inside) and `bob` (no commission)."""

    store: Store
    provider: Sandbox
    account_key: str
    account: str
    channel: Any

    def order(self, amount: str = "100.00", seller: str = "ann", **other: Any) -> dict[str, Any]:
        """One payment order of a body."""
        return {
            "seller_account": seller,
            "amount": amount,
            "currency": "USD",
            "payment_order_id": f"o-{uuid.uuid4().hex[:12]}",
        } | other

    def body(self, *orders: dict[str, Any], token: str = "pm_card_visa", **other: Any) -> dict[str, Any]:
        """A checkout."""
        return {
            "checkout_id": f"c-{uuid.uuid4().hex[:12]}",
            "credit_card_info": {"token": token},
            "payment_orders": list(orders) or [self.order("90.00"), self.order("10.00", "bob")],
        } | other

    def accept(self, body: dict[str, Any], key: str | None = None) -> dict[str, Any]:
        """POST it; the answer must be 201."""
        answer = self.store.post("/v1/payments", body, key=key or uuid.uuid4().hex)
        assert answer.status_code == 201, answer.content
        return answer.json()

    def work(self) -> int:
        """Let the worker do everything that is due."""
        return get_drain("operations").run()

    def pay(self, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Accept and work; return the checkout as it is then."""
        accepted = self.accept(body or self.body())
        self.work()
        return self.checkout(accepted["checkout_id"])

    def checkout(self, reference: str) -> dict[str, Any]:
        """GET the checkout."""
        answer = self.store.get(f"/v1/checkouts/{reference}")
        assert answer.status_code == 200, answer.content
        return answer.json()

    @property
    def account_id(self) -> str:
        """The provider's id of the merchant's account."""
        return self.provider.control("POST", "keys", {"key": self.account_key})["account"]

    def later(self, seconds: float) -> int:
        """Let time pass and the worker do what is due then; needs the fixture `hooks`."""
        clock.move(seconds=int(seconds))
        return self.work()

    def arm(self, kind: str, **spec: Any) -> dict[str, Any]:
        """Arm a fault of the provider for this merchant's account."""
        return self.provider.arm(kind, account=self.account_key, **spec)

    def cure(self) -> None:
        """Disarm every fault."""
        self.provider.control("DELETE", "faults")

    def requests(self, operation: str = "") -> list[dict[str, Any]]:
        """The provider's log of one operation, or of all."""
        which = f"&operation={operation}" if operation else ""
        return self.provider.get(f"requests?account={self.account}{which}")

    def captures(self) -> list[dict[str, Any]]:
        """Every time the provider took money, by its own journal."""
        return self.provider.get(f"journal?account={self.account}&kind=charge.captured")

    def effects(self, checkout_id: str) -> list[dict[str, Any]]:
        """What the provider really did, by its own journal."""
        return self.provider.control("GET", f"journal?metadata.checkout_id={checkout_id}")["data"]


def hosted(shop: Shop, *orders: dict[str, Any], **other: Any) -> dict[str, Any]:
    """A checkout without a token: the buyer pays on the provider's page."""
    body = shop.body(*orders, **other)
    del body["credit_card_info"]
    return body


def open_shop(provider: Any, base_url: str) -> Shop:
    """A fresh merchant with a channel to the provider and two sellers."""
    store = open_store()
    account_key = f"sk_test_{uuid.uuid4().hex}"
    with transaction.atomic():
        channel = create_channel(
            merchant_id=store.merchant_id,
            name=f"psp-{uuid.uuid4().hex[:8]}",
            provider="stripe",
            secret_key=account_key,
            webhook_secret="whsec_test",
            base_url=base_url,
            max_in_flight=8,
        )
        for seller, bps, tax in (("ann", 1000, 2000), ("bob", 0, 0)):
            create_seller(
                merchant_id=store.merchant_id,
                seller_account=seller,
                name=seller.title(),
                country="US",
                commission_bps=bps,
                tax_bps=tax,
                by="user:test",
            )
    account = provider.control("POST", "keys", {"key": account_key})["account"] if provider else ""
    return Shop(store, provider, account_key, account, channel)


@pytest.fixture
def shop(provider: Sandbox, transactional_db: None) -> Iterator[Shop]:
    """A fresh merchant; the books are audited when the test is over."""
    provider.control("POST", "reset", {})
    yield open_shop(provider, provider.url)
    check_events()
    report = run_audits()
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


@pytest.fixture
def counter(db: None, settings: Any) -> Iterator[Shop]:
    """A shop that only takes requests: there is no provider behind it, and nothing is executed."""
    settings.INLINE_REGISTRATIONS = 0
    yield open_shop(None, "http://127.0.0.1:9")
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


@pytest.fixture
def open_counter(transactional_db: None, settings: Any) -> Iterator[Shop]:
    """The same, with real commits: for threads with connections of their own."""
    settings.INLINE_REGISTRATIONS = 0
    yield open_shop(None, "http://127.0.0.1:9")
    check_events()
    report = run_audits(store=False)
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]
