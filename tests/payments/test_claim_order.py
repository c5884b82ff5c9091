"""What is due is taken up oldest first, whatever its keys are and wherever its rows lie."""

from datetime import timedelta

import pytest

from channels.models import Channel
from core import clock
from core.drain import get_drain
from payments.models import OrderShare, PspOperation
from tests.payments.captured import capture
from tests.payments.conftest import Shop
from tests.payments.test_releases import DAY

pytestmark = pytest.mark.usefixtures("hooks")
# The places of ten rows that were made one after the other, when they are put in order of their time.
_PLACES = [6, 2, 9, 0, 7, 4, 1, 8, 3, 5]


def test_operations_are_claimed_oldest_first(open_counter: Shop) -> None:
    """Batches are claimed ahead of the threads that work on them: the oldest is not to be the last."""
    Channel.objects.update(max_in_flight=20)
    for _ in _PLACES:
        open_counter.accept(open_counter.body())
    keys = list(PspOperation.objects.order_by("id").values_list("id", flat=True))
    for key, place in zip(keys, _PLACES, strict=True):
        at = clock.now() - timedelta(seconds=60 - place)
        PspOperation.objects.filter(id=key).update(due_at=at)
    claims = get_drain("operations").claim(limit=32)
    assert [_PLACES[keys.index(each.id)] for each in claims] == list(range(10))


@pytest.mark.usefixtures("stopped_clock")
def test_operations_of_one_moment_are_claimed_as_they_were_made(open_counter: Shop) -> None:
    """The orders of a checkout, say, are sent as the store named them."""
    Channel.objects.update(max_in_flight=20)
    names = [open_counter.accept(open_counter.body())["checkout_id"] for _ in _PLACES]
    claims = get_drain("operations").claim(limit=32)
    made = PspOperation.objects.select_related("charge__checkout").in_bulk([each.id for each in claims])
    assert [made[each.id].charge.checkout.checkout_id for each in claims] == names


def test_releases_are_claimed_oldest_first(open_counter: Shop) -> None:
    """Also where fewer than all are taken at a time, sellers are paid in the order of their days."""
    orders = [capture(open_counter, open_counter.order())[0].id for _ in _PLACES]
    clock.move(seconds=8 * DAY)
    for key, place in zip(orders, _PLACES, strict=True):
        OrderShare.objects.filter(order_id=key).update(due_at=clock.now() - timedelta(seconds=60 - place))
    claims = get_drain("releases").claim(limit=50)
    assert [_PLACES[orders.index(each.id)] for each in claims] == list(range(10))
