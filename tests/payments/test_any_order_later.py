"""Captures, voids, expiry and what others do at the provider, among everything else, in any order.

As in test_any_order.py, with payments that are authorised first: in the end the provider keeps what the
orders say was captured, and holds nothing that nobody will take.
"""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import breaker
from core import clock
from core.drain import get_drain
from core.ids import public_id
from core.models import DeadLetter
from core.money import format_minor
from core.settings_store import put_setting
from core.transactions import at_edge
from payments.engine.late_money import LATE_MONEY
from payments.models import Charge, ChargeLine, PaymentOrder, PspOperation
from payments.psp.contract import PspObject, PspStatus
from tests.payments.conftest import Shop
from tests.payments.psp.pretend import PretendProvider
from tests.payments.test_any_order import MOODS, STEPS, TOKEN, Play
from tests.payments.test_any_order import market as market
from tests.payments.test_any_order import pretend as pretend
from tests.stateful.effort import examples

pytestmark = pytest.mark.usefixtures("hooks")

LATER = [
    *STEPS,
    *("capture", "capture", "capture", "cancel_one", "weeks_go_by"),
    *("captured_there", "canceled_there", "dropped_there"),
]
PLAN = st.lists(st.tuples(st.sampled_from(LATER), st.integers(0, 999), TOKEN, MOODS), min_size=2, max_size=14)


@dataclass
class LaterPlay(Play):
    """One checkout that is captured later."""

    def begin(self, token: str, policy: str) -> None:
        orders = [self.shop.order("10.00")] if policy == "all_or_nothing" else []
        body = self.shop.body(*orders, token=token, multi_order_policy=policy, capture="manual")
        self.checkout_id = self.shop.accept(body)["id"]

    def capture(self) -> None:
        """All or a part of one order."""
        order = self._one_of(list(PaymentOrder.objects.filter(checkout_id=self._key)))
        part = format_minor(1 + self.pick % order.amount_minor, "USD")
        body = {} if self.pick % 3 == 0 else {"amount": part}
        self._post(f"payments/{public_id('pay', order.id)}/captures", body)

    def weeks_go_by(self) -> None:
        clock.move(seconds=8 * 24 * 3600)
        get_drain("expiry").run()

    def captured_there(self) -> None:
        """Where an order of ours is on its way, two people would have to decide: not here."""
        for seen in self._reserved():
            if not self._is_ordered(seen):
                self.provider.move(
                    seen.reference, PspStatus.CAPTURED, taken=1 + self.pick % seen.amount_minor
                )
                return

    def canceled_there(self) -> None:
        if found := self._reserved():
            self.provider.move(self._one_of(found).reference, PspStatus.CANCELED)

    def dropped_there(self) -> None:
        if found := self._reserved():
            self.provider.move(self._one_of(found).reference, PspStatus.EXPIRED)

    def end(self) -> None:
        super().end()
        self.weeks_go_by()
        super().end()

    def check_totals(self, order: PaymentOrder) -> None:
        assert 0 <= order.captured_minor <= order.authorized_minor or order.authorized_minor == 0
        alive = PspOperation.objects.filter(charge__lines__order=order, kind__in=["capture", "void"])
        for charge in Charge.objects.filter(lines__order=order):
            open_or_done = alive.filter(charge=charge).exclude(status__in=["DECLINED", "CANCELED"])
            assert open_or_done.count() <= 1

    def judge(self) -> None:
        assert not DeadLetter.objects.exists(), "nothing of ours broke"
        assert list(self._due.values_list("kind", "status", "error")) == []
        orders = list(PaymentOrder.objects.filter(checkout_id=self._key))
        assert {order.status for order in orders} <= {"SUCCESS", "FAILED", "CANCELED", "EXPIRED"}
        kept = self.provider.taken(each.reference for each in self._payments())
        assert kept == sum(order.captured_minor for order in orders)
        assert self._reserved() == [], "nothing is reserved that nobody will take"
        for charge in Charge.objects.filter(checkout_id=self._key):
            covers = ChargeLine.objects.filter(charge=charge, live=True).exists()
            assert charge.captured_minor - charge.refunded_minor == (charge.captured_minor if covers else 0)
            assert charge.captured_minor + charge.voided_minor in (0, charge.authorized_minor)

    def _reserved(self) -> list[PspObject]:
        return [each for each in self._payments() if each.status is PspStatus.AUTHORIZED]

    def _is_ordered(self, seen: PspObject) -> bool:
        ours = PspOperation.objects.filter(charge__psp_reference=seen.reference, kind="capture")
        return ours.exclude(status__in=["DECLINED", "CANCELED"]).exists()


@pytest.mark.parametrize("late", ["refund", "accept"])
def test_whatever_happens_it_is_taken_or_given_back(
    market: Shop, pretend: PretendProvider, late: str
) -> None:
    """F-A17, F-C4, F-C5, A-C8, I11: any order of events ends with what was ordered, once, or with nothing."""
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
        play = LaterPlay(market, pretend)
        play.begin(token, policy)
        for step in plan:
            play.step(*step)
            play.check()
        play.end()
        play.check()
        play.judge()

    plays()
