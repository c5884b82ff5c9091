"""Attempts, cancellations, expiry, answers, silence, late captures and webhooks, in any order.

The provider is in memory and knows what it really took; after every step no order is covered twice and every
audit of pay-in is clean, and in the end what the provider keeps is what the orders say was captured.
"""

import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from channels import breaker
from core import clock
from core.audits import run_audits
from core.drain import get_drain
from core.ids import parse_public_id, public_id
from core.models import DeadLetter
from core.settings_store import put_setting
from core.transactions import at_edge
from events.types import InboundEvent
from payments.audits import INVARIANTS
from payments.engine import conflicts, execute, observe, requests
from payments.engine.late_money import LATE_MONEY
from payments.engine.observe import on_provider_event
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from payments.psp.contract import PspObject, PspStatus
from tests.payments.conftest import Shop, open_shop
from tests.payments.psp.pretend import TOKENS, PretendProvider
from tests.stateful.effort import examples

T = TypeVar("T")
pytestmark = pytest.mark.usefixtures("hooks")

MOODS = st.lists(st.sampled_from(["ok", "ok", "lost", "dropped", "refused"]), max_size=4)
STEPS = [
    *("work", "work", "work", "attempt", "attempt", "cancel", "cancel_one", "expire"),
    *("buyer_pays", "buyer_pays", "buyer_fails", "tell", "tell", "tell_all", "wait"),
]


@pytest.fixture
def pretend(monkeypatch: pytest.MonkeyPatch) -> PretendProvider:
    """The provider of every channel."""
    provider = PretendProvider()
    for module in (execute, requests, observe, conflicts):
        monkeypatch.setattr(module, "adapter_for", lambda _: provider)
    return provider


@pytest.fixture
def market(pretend: PretendProvider, transactional_db: None) -> Iterator[Shop]:
    """A merchant whose provider is in memory."""
    yield open_shop(None, "http://127.0.0.1:9")
    report = run_audits()
    assert report.is_clean, [(each.name, each.sample) for each in report.violated]


# Drawn beforehand: what is there to choose from depends on what happened, and on threads.
TOKEN = st.sampled_from(sorted(TOKENS))
PLAN = st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 999), TOKEN, MOODS), min_size=2, max_size=14)


@dataclass
class Play:
    """One checkout, what happens to it, and what must be true of it after each step."""

    shop: Shop
    provider: PretendProvider
    checkout_id: str = ""
    pick: int = 0
    token: str = ""
    moods: list[str] = field(default_factory=list)

    def begin(self, token: str, policy: str) -> None:
        self.checkout_id = self.shop.accept(self.shop.body(token=token, multi_order_policy=policy))["id"]

    def step(self, name: str, pick: int, token: str, moods: list[str]) -> None:
        self.pick, self.token, self.moods = pick, token, moods
        getattr(self, name)()

    def work(self) -> None:
        self.provider.moods[:] = self.moods
        self.shop.work()

    def wait(self) -> None:
        clock.move(seconds=self._one_of([20, 1000]))
        self.work()

    def attempt(self) -> None:
        self._post(f"checkouts/{self.checkout_id}/attempts", {"credit_card_info": {"token": self.token}})

    def cancel(self) -> None:
        self._post(f"checkouts/{self.checkout_id}/cancellations", {})

    def cancel_one(self) -> None:
        orders = self.shop.checkout(self.checkout_id)["payment_orders"]
        self._post(f"payments/{self._one_of(orders)['id']}/cancellations", {})

    def expire(self) -> None:
        clock.move(seconds=25 * 3600)
        get_drain("expiry").run()

    def buyer_pays(self) -> None:
        """Finish what the bank asks for, or pay once more in another tab what was declined."""
        payable = [
            each
            for each in self._payments()
            if each.status in (PspStatus.REQUIRES_ACTION, PspStatus.PROCESSING, PspStatus.DECLINED)
        ]
        if payable:
            self.provider.pay(self._one_of(payable).reference)

    def buyer_fails(self) -> None:
        waiting = [
            each
            for each in self._payments()
            if each.status in (PspStatus.REQUIRES_ACTION, PspStatus.PROCESSING)
        ]
        if waiting:
            self.provider.move(self._one_of(waiting).reference, PspStatus.DECLINED)

    def tell(self) -> None:
        if self.provider.told:
            self._deliver(self._one_of(self.provider.told))

    def tell_all(self) -> None:
        told = list(self.provider.told)
        random.Random(self.pick).shuffle(told)
        for seen in told:
            self._deliver(seen)

    def end(self) -> None:
        """Everybody answers, every event comes, and the buyer is gone."""
        self.provider.moods.clear()
        for _ in range(40):
            for each in self._payments():
                if each.status in (PspStatus.REQUIRES_ACTION, PspStatus.PROCESSING):
                    self.provider.move(each.reference, PspStatus.DECLINED)
            for seen in list(self.provider.told):
                self._deliver(seen)
            if not self._due.exists():
                break
            clock.move(seconds=600)
            self.shop.work()

    def check(self) -> None:
        """After each step."""
        orders = PaymentOrder.objects.filter(checkout_id=self._key)
        for order in orders:
            live = ChargeLine.objects.filter(order=order, live=True).select_related("charge")
            assert len(live) <= 1
            self.check_totals(order)
            assert (order.status == "SUCCESS") == (order.captured_minor > 0)
        for invariant in INVARIANTS:
            with connection.cursor() as cursor:
                cursor.execute(invariant.sql)
                assert cursor.fetchall() == [], invariant.name

    def check_totals(self, order: PaymentOrder) -> None:
        assert order.captured_minor in (0, order.amount_minor)

    def judge(self) -> None:
        """In the end the provider keeps what the orders say, and nothing is left to do."""
        assert not DeadLetter.objects.exists(), "nothing of ours broke"
        assert list(self._due.values_list("kind", "status", "error")) == []
        orders = list(PaymentOrder.objects.filter(checkout_id=self._key))
        assert {order.status for order in orders} <= {"SUCCESS", "FAILED", "CANCELED", "EXPIRED"}
        kept = self.provider.taken(each.reference for each in self._payments())
        assert kept == sum(order.captured_minor for order in orders)
        for charge in Charge.objects.filter(checkout_id=self._key):
            covers = charge.lines.filter(live=True).exists()
            assert charge.captured_minor - charge.refunded_minor == (charge.amount_minor if covers else 0)

    def _one_of(self, choices: Sequence[T]) -> T:
        return choices[self.pick % len(choices)]

    @property
    def _key(self) -> uuid.UUID:
        key = parse_public_id(self.checkout_id, "chk")
        assert key is not None
        return key

    @property
    def _due(self) -> Any:
        return PspOperation.objects.filter(charge__checkout_id=self._key, due_at__isnull=False)

    def _payments(self) -> list[PspObject]:
        ours = {
            public_id("chg", key)
            for key in Charge.objects.filter(checkout_id=self._key).values_list("id", flat=True)
        }
        return [each for each in self.provider.payments.values() if each.our_reference in ours]

    def _post(self, path: str, body: Any) -> None:
        answer = self.shop.store.post(f"/v1/{path}", body, key=uuid.uuid4().hex)
        assert answer.status_code in (201, 409), answer.content

    def _deliver(self, seen: PspObject) -> None:
        channel = self.shop.channel
        event = InboundEvent(
            id=uuid.uuid4(),
            merchant_id=channel.merchant_id,
            channel_id=channel.id,
            provider="stripe",
            event_id=f"evt_{uuid.uuid4().hex}",
            type="payment_intent.updated",
            payload=MappingProxyType({"seen": seen}),
            account="",
            occurred_at=clock.now(),
            received_at=clock.now(),
        )
        at_edge(on_provider_event)(delivery=event)


@pytest.mark.parametrize("late", ["refund", "accept"])
def test_whatever_happens_no_money_is_kept_twice(market: Shop, pretend: PretendProvider, late: str) -> None:
    """F-A18, F-C4, F-C5: any order of events ends with one payment per order, or none."""
    at_edge(put_setting)(
        name=LATE_MONEY.name,
        value=late,
        scope=public_id("mer", market.store.merchant_id),
        actor="user:1",
        reason="as this test wants it",
    )

    @examples(few=15, many=2000)
    @given(token=TOKEN, policy=st.sampled_from(["all_or_nothing", "best_effort"]), plan=PLAN)
    def plays(token: str, policy: str, plan: list[tuple[str, int, str, list[str]]]) -> None:
        breaker.forget()
        pretend.told.clear()
        play = Play(market, pretend)
        play.begin(token, policy)
        for step in plan:
            play.step(*step)
            play.check()
        play.end()
        play.check()
        play.judge()

    plays()
