"""What happens at once: the same account twice, the last place, a removal or a block beside a sending."""

import threading
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from core.errors import DomainError
from core.settings_store import put_setting
from core.transactions import at_edge
from payouts.destinations import adding, blocks
from payouts.models import Destination, DestinationKey, Payout
from payouts.services import place_block
from tests.payouts.destinations.cast import ADDER, GERMAN, Sellers
from tests.racing import race
from tests.waiting import eventually

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]
MANY = 4
NUMBERS = [
    "DE89370400440532013000",
    "DE75512108001245126199",
    "DE02120300000000202051",
    "DE02500105170137075030",
]


def outcomes(results: list[Any]) -> list[str]:
    """What each contender met, sorted."""
    return sorted(each.code if isinstance(each, DomainError) else type(each).__name__ for each in results)


def test_the_same_account_at_once_is_one_destination(busy_sellers: Sellers) -> None:
    """And the merchant's first ones at once make one secret."""
    results = race([busy_sellers.add] * MANY)
    assert outcomes(results) == ["DestinationData"] + ["destination_exists"] * (MANY - 1)
    assert (Destination.objects.count(), DestinationKey.objects.count()) == (1, 1)


def test_different_accounts_at_once_have_one_default_and_keep_the_limit(busy_sellers: Sellers) -> None:
    results = _fill(busy_sellers, most=2)
    assert outcomes(results) == ["DestinationData"] * 2 + ["too_many_destinations"] * 2
    assert Destination.objects.filter(is_default=True).count() == 1


def test_the_control_without_the_lock_lets_too_many_in(
    busy_sellers: Sellers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody counts before anybody has written; the database still lets one be the default."""
    everybody_has_counted = threading.Barrier(MANY, timeout=30)

    def unlocked(*, merchant_id: Any, seller_id: Any) -> list[Destination]:
        rows = list(Destination.objects.filter(merchant_id=merchant_id, seller_id=seller_id))
        everybody_has_counted.wait()
        return rows

    monkeypatch.setattr(adding, "lock_destinations", unlocked)
    _fill(busy_sellers, most=2, make_default=False)
    assert Destination.objects.count() == MANY


def _fill(sellers: Sellers, *, most: int, **more: Any) -> list[Any]:
    at_edge(put_setting)(name="payouts.destinations_per_seller", value=most, actor="user:1", reason="a race")
    return race(
        [lambda number=number: sellers.add(details=GERMAN | {"iban": number}, **more) for number in NUMBERS],
    )


@pytest.mark.parametrize("first", ["removal", "sending"])
def test_a_removal_and_a_sending_meet(busy_sellers: Sellers, cooled: Any, first: str) -> None:
    """A-D7: who comes second waits for the first, and then sees what became of it."""
    made = busy_sellers.verify(busy_sellers.add())
    payout = busy_sellers.payout(made)
    cooled()
    remove = lambda: busy_sellers.decide("remove_destination", made)  # noqa: E731
    send = lambda: busy_sellers.send(Payout.objects.get(pk=payout.id))  # noqa: E731
    one, other = (remove, send) if first == "removal" else (send, remove)
    result = _while_open(one, other)
    state = Payout.objects.get(pk=payout.id).status
    if first == "removal":
        assert isinstance(result, IntegrityError)
        assert state == "APPROVED"
    else:
        assert (result.status, state) == ("REMOVED", "EXECUTING")


@pytest.mark.parametrize("first", ["block", "sending"])
def test_a_block_and_a_sending_meet(busy_sellers: Sellers, cooled: Any, first: str) -> None:
    """F-F9: a block that was set holds; what was being sent is sent before it."""
    payout = busy_sellers.payout(busy_sellers.verify(busy_sellers.add()))
    cooled()
    send = lambda: busy_sellers.send(Payout.objects.get(pk=payout.id))  # noqa: E731
    block = lambda: _block(busy_sellers)  # noqa: E731
    one, other = (block, send) if first == "block" else (send, block)
    result = _while_open(one, other)
    state = Payout.objects.get(pk=payout.id).status
    assert isinstance(result, IntegrityError) is (first == "block")
    assert state == ("APPROVED" if first == "block" else "EXECUTING")


def test_the_control_without_the_lock_sends_against_a_block(
    busy_sellers: Sellers, cooled: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block is not committed yet, so that who sends does not see it: the audit would."""
    payout = busy_sellers.payout(busy_sellers.verify(busy_sellers.add()))
    cooled()
    monkeypatch.setattr(blocks, "lock_blocks", lambda *, merchant_id: None)
    send = lambda: busy_sellers.send(Payout.objects.get(pk=payout.id))  # noqa: E731
    with transaction.atomic():
        _block(busy_sellers)
        race([send])
        transaction.set_rollback(True)
    assert Payout.objects.get(pk=payout.id).status == "EXECUTING"


def _block(sellers: Sellers) -> Any:
    with transaction.atomic():
        return place_block(
            merchant_id=sellers.merchant_id, seller_id=None, source="finance", reason="stop", by=ADDER
        )


def _while_open(one: Any, other: Any) -> Any:
    """Do one thing, begin the other before it is committed, commit it; return what came of the other."""
    results: list[Any] = []
    with transaction.atomic():
        one()
        thread = threading.Thread(target=lambda: results.extend(race([other])), daemon=True)
        thread.start()
        _wait_for_a_waiter()
    thread.join(30)
    assert len(results) == 1
    return results[0]


def _wait_for_a_waiter() -> None:
    """Return when another session waits for a lock: the second has come to where the first is."""

    def waits() -> bool:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
            return bool(cursor.fetchone()[0])

    eventually(waits)
