"""A worker breaks at each place of a refund's way: one effect, one entry of each, and the same end."""

from typing import Any

import pytest

from core.failpoints import arm
from core.models import DeadLetter
from ledger.models import JournalEntry
from payments.models import PspOperation, Refund
from tests.payments.conftest import Shop
from tests.payments.refunding import ask, paid, refunded_there, refunds_of, state, tell, told_refunds

CREATE = "refunds.create"
PLACES = (
    "execute.before_intent.refund",
    "execute.after_intent.refund",
    "execute.after_effect.refund",
    "execute.before_commit.refund",
    "execute.after_commit.refund",
)


@pytest.fixture(autouse=True)
def _impatient(settings: Any, hooks: Any) -> None:
    settings.PSP_READ_TIMEOUT = 0.5


def settle(shop: Shop) -> None:
    for _ in range(8):
        shop.later(120)


@pytest.mark.parametrize("place", PLACES)
def test_a_refund_survives_a_break_at_each_place_f_a3(shop: Shop, place: str) -> None:
    """F-A1 to F-A4 of refunds."""
    order = paid(shop)
    ask(shop, order, "40.00")
    arm(place, "raise")
    shop.work()
    settle(shop)
    assert [each["status"] for each in refunds_of(shop, order)] == ["SUCCESS"]
    assert (state(shop, order), refunded_there(shop)) == (("40.00", "0.00"), 40_00)
    entries = JournalEntry.objects.filter(source="refund").order_by("id")
    assert list(entries.values_list("leg", flat=True)) == ["accepted", "netted"]
    assert DeadLetter.objects.count() == 0


@pytest.mark.parametrize("place", PLACES[:4])
def test_webhooks_bring_it_when_the_worker_does_not(shop: Shop, place: str) -> None:
    """The worker broke; webhooks tell the refund, if it was made, and nothing is made twice."""
    order = paid(shop)
    ask(shop, order, "40.00")
    arm(place, "raise")
    shop.work()
    tell(shop, *told_refunds(shop), times=2)
    if refunded_there(shop):
        assert [each["status"] for each in refunds_of(shop, order)] == ["SUCCESS"]
    settle(shop)
    assert (state(shop, order), refunded_there(shop)) == (("40.00", "0.00"), 40_00)
    assert PspOperation.objects.filter(kind="refund").count() == 1


@pytest.mark.parametrize("where", ["idem.before_record", "idem.before_commit"])
def test_a_request_that_broke_left_nothing(shop: Shop, where: str) -> None:
    """F-A1: before the commit there is no refund, no entry, no reservation; the same key does it then."""
    order = paid(shop)
    body = {"payment_order_id": order["payment_order_id"], "amount": "40.00"}
    arm(where, "raise")
    shop.store.raise_errors, shop.store.is_described = False, False
    assert shop.store.post("/v1/refunds", body, key="k-1").status_code == 500
    shop.store.raise_errors, shop.store.is_described = True, True
    assert (Refund.objects.count(), JournalEntry.objects.filter(source="refund").count()) == (0, 0)
    assert state(shop, order) == ("0.00", "0.00")
    assert shop.store.post("/v1/refunds", body, key="k-1").status_code == 201
    shop.work()
    assert refunded_there(shop) == 40_00


def test_after_the_key_is_forgotten_nothing_is_sent_again_f_a16(shop: Shop) -> None:
    """F-A16: not to be found after a day: it is asked about, and never sent under an old key."""
    order = paid(shop)
    shop.arm("not_charged_timeout", operation=CREATE, seconds=2)
    shop.arm("http_500", operation="refunds.list", times=None)
    ask(shop, order, "40.00")
    shop.work()
    shop.provider.control("POST", "clock", {"seconds": 90_000})
    shop.later(90_000)
    shop.cure()
    shop.later(7200)
    assert [each["status"] for each in refunds_of(shop, order)] == ["UNKNOWN"]
    assert (len(shop.requests(CREATE)), refunded_there(shop)) == (1, 0)
    assert state(shop, order) == ("0.00", "40.00")
    # Honest audits: an operation without an outcome for a day is what `unknown_is_bounded` is for.
    PspOperation.objects.filter(kind="refund").update(first_sent_at=None)
