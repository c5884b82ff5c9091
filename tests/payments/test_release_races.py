"""A release against a debit of the same pending money, and passes of the worker against each other."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from core import clock
from core.drain import get_drain
from core.models import OutboxEvent
from core.transactions import at_edge
from payments.models import OrderRelease, OrderShare, PaymentOrder
from payments.releases import steps
from payments.releases.locks import lock_orders_with_shares
from payments.releases.plan import unreleased_minor
from tests.payments.captured import balances, capture, post_taken, share_of
from tests.payments.conftest import Shop
from tests.payments.test_releases import DAY
from tests.racing import race
from wallet.selectors import accounts_of, wallets_of

pytestmark = [pytest.mark.database, pytest.mark.usefixtures("hooks")]
ROUNDS = 10


def reading(*, order_ids: Any) -> list[OrderShare]:
    """What `lock_orders_with_shares` reads, without its locks."""
    return list(OrderShare.objects.filter(order_id__in=list(order_ids)).select_related("order"))


def debit_pending(shop: Shop, order_id: UUID, found: Callable[..., list[OrderShare]]) -> Callable[[], int]:
    """Take all that is pending of the order, as a refund does; return how much there was."""

    @at_edge
    def take() -> int:
        (share,) = found(order_ids=[order_id])
        taken = unreleased_minor(share)
        if taken:
            share.pending_used_minor += taken
            share.save(update_fields=["pending_used_minor"])
            _post(shop, share.order, taken)
        return taken

    return take


def _post(shop: Shop, order: PaymentOrder, minor: int) -> None:
    merchant_id = shop.store.merchant_id
    (wallet,) = wallets_of(merchant_id=merchant_id, owner_type="seller", owner_id=order.seller_id)
    accounts = accounts_of(merchant_id=merchant_id, wallet_id=wallet.id)
    post_taken(merchant_id=merchant_id, account=accounts["seller_pending"], minor=minor)


def test_a_release_and_a_debit_of_pending_never_take_the_same_money(open_counter: Shop) -> None:
    """I12: whoever has the order's lock first takes all of it, and the other one finds nothing."""
    orders = [capture(open_counter, open_counter.order())[0] for _ in range(ROUNDS)]
    clock.move(seconds=8 * DAY)
    claims = {claim.id: claim for claim in get_drain("releases").claim(limit=ROUNDS)}
    for order in orders:
        releasing = partial(steps.release_claimed, claims=[claims[order.id]])
        debiting = debit_pending(open_counter, order.id, lock_orders_with_shares)
        released, taken = race([releasing, debiting], connected=True)
        share = share_of(order)
        assert (released, taken) == (share.released_minor // 9000, share.pending_used_minor)
        assert share.released_minor + share.pending_used_minor == 9000
        assert share.due_at is None
    there = balances(orders[0].seller_id)
    assert (there["pending"], there["available"]) == (0, 9000 * OrderRelease.objects.count())


def test_the_control_without_the_lock_is_stopped_by_the_database(
    open_counter: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same race where both read, decide and then write: one of them breaks on a constraint."""
    (order,) = capture(open_counter, open_counter.order())
    clock.move(seconds=8 * DAY)
    found: list[OrderShare] = []

    def read_before_the_other_writes(*, order_ids: Any) -> list[OrderShare]:
        found.extend(reading(order_ids=order_ids))
        if len(found) == 1:
            assert race([debit_pending(open_counter, order.id, reading)], connected=True) == [9000]
        return found[:1]

    monkeypatch.setattr(steps, "lock_orders_with_shares", read_before_the_other_writes)
    get_drain("releases").run()
    share = share_of(order)
    assert (share.released_minor, share.pending_used_minor, share.attempts) == (0, 9000, 1)


def test_passes_at_once_release_once(open_counter: Shop) -> None:
    """A second worker, or the same one once more, changes nothing."""
    orders = [capture(open_counter, open_counter.order())[0] for _ in range(6)]
    clock.move(seconds=8 * DAY)
    race([get_drain("releases").run] * 3, connected=True)
    assert OrderRelease.objects.count() == OutboxEvent.objects.filter(type="wallet.credited").count() == 6
    assert balances(orders[0].seller_id)["available"] == 54000


def test_a_worker_that_was_too_slow_releases_nothing(open_counter: Shop) -> None:
    """The fence: who claimed the order before somebody else did leaves it alone."""
    (order,) = capture(open_counter, open_counter.order())
    clock.move(seconds=8 * DAY)
    drain = get_drain("releases")
    (slow,) = drain.claim(limit=10)
    OrderShare.objects.update(leased_until=None)
    drain.claim(limit=10)
    assert steps.release_claimed(claims=[slow]) == 0
    assert (drain.run(), share_of(order).released_minor) == (0, 0)
    OrderShare.objects.update(leased_until=None)
    assert (drain.run(), share_of(order).released_minor) == (1, 9000)
