"""An account that changed between the yes and the sending: nothing leaves, and people see why (F-F6)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, transaction

from core import clock
from payouts.destinations.accounts import checked_account
from payouts.errors import DestinationCoolingDown, DestinationUnknown, DestinationUnverified
from payouts.models import Destination, Payout
from payouts.selectors import instruction_of, payout_gates
from payouts.services import place_block, reject_destination, remove_destination
from tests.payouts.conftest import OTHER, Payer, payer  # noqa: F401
from tests.payouts.destinations.ibans import EXAMPLES

pytestmark = [pytest.mark.database, pytest.mark.django_db(transaction=True)]


def decided(service: Callable[..., Any], payer: Payer) -> None:  # noqa: F811
    with transaction.atomic():
        service(
            merchant_id=payer.merchant_id,
            destination_id=payer.places["ann"].id,
            by=OTHER,
            reason="it is not hers",
        )


def removed(payer: Payer) -> None:  # noqa: F811
    decided(remove_destination, payer)


def rejected(payer: Payer) -> None:  # noqa: F811
    decided(reject_destination, payer)


def blocked(payer: Payer) -> None:  # noqa: F811
    with transaction.atomic():
        place_block(
            merchant_id=payer.merchant_id, seller_id=None, source="finance", reason="a letter", by=OTHER
        )


def rewritten(payer: Payer, **changes: str) -> None:  # noqa: F811
    """As somebody would who has the keys and the table."""
    row = Destination.objects.get(pk=payer.places["ann"].id)
    row.details = row.details | changes
    row.save(update_fields=["details"])


def redirected(payer: Payer) -> None:  # noqa: F811
    rewritten(payer, iban=EXAMPLES["DE"])


def renamed(payer: Payer) -> None:  # noqa: F811
    rewritten(payer, holder_name="Eve")


def moved(payer: Payer) -> None:  # noqa: F811
    """As somebody would who has the table alone."""
    payer.seller("bob")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE payouts_destination SET details ="
            " (SELECT details FROM payouts_destination WHERE id = %s) WHERE id = %s",
            [payer.places["bob"].id, payer.places["ann"].id],
        )


@pytest.mark.parametrize(
    ("change", "status", "why"),
    [
        (removed, "BLOCKED", "The destination is REMOVED"),
        (rejected, "BLOCKED", "The destination is REJECTED"),
        (blocked, "BLOCKED", "stopped: a letter"),
        (redirected, "BLOCKED", "the stored account was altered"),
        (moved, "BLOCKED", "the stored account was altered"),
        (renamed, "IN_REVIEW", "the instruction is not what was said yes to"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_nothing_is_sent_to_what_is_not_what_was_said_yes_to(
    payer: Payer,  # noqa: F811
    change: Callable[[Payer], None],
    status: str,
    why: str,
) -> None:
    """F-F6, A-H13: the provider hears of nothing, the money stays held, and the reason is there to read."""
    payout = payer.approve(payer.ask(5000))
    assert payout.status == "APPROVED"
    change(payer)
    payer.work(2)
    found: Payout = payer.look(payout)
    assert (found.status, payer.wallet().held_minor) == (status, 5000)
    assert found.why_held.startswith(why)
    assert payer.paper.orders == []
    if change in (redirected, moved):
        assert [gate.name for gate in payout_gates(payout_id=payout.id) if not gate.is_open] == ["account"]


def test_the_control_that_nothing_was_changed_is_sent(payer: Payer) -> None:  # noqa: F811
    payout = payer.approve(payer.ask(5000))
    payer.work()
    assert payer.look(payout).status == "SENT"


def test_a_yes_to_one_name_is_none_to_another(payer: Payer) -> None:  # noqa: F811
    """A-F17: the instruction shows no name in the clear, and stands for it all the same."""
    payout = payer.ask(5000)
    before = instruction_of(payout_id=payout.id)
    assert "Ann" not in str(before.instruction)
    renamed(payer)
    assert instruction_of(payout_id=payout.id).digest != before.digest


def test_a_new_account_is_never_paid_at_once(payer: Payer, hooks: Any) -> None:  # noqa: F811
    """A-H3, A-D7: whoever adds an account and asks for the money waits, also as the default."""
    payer.trust()
    payer.set("payouts.destination_cool_down_hours", 48)
    new = payer.place("ann", is_verified=False)
    for destination in (None, new.public_id):
        with pytest.raises(DestinationUnverified):
            payer.ask(100_000, destination=destination)
    new = payer.place("ann")
    for destination in (None, new.public_id):
        with pytest.raises(DestinationCoolingDown):
            payer.ask(100_000, destination=destination)
    assert payer.wallet().available_minor == 100_000
    old = payer.ask(40_000, destination=payer.places["ann"].public_id)
    payer.work()
    assert payer.paper.payments.keys() == {payer.look(old).sendings.get().reference}
    clock.move(seconds=48 * 3600)
    assert payer.ask(60_000).destination_id == new.id


def test_another_seller_s_account_is_unknown(payer: Payer) -> None:  # noqa: F811
    payer.seller("bob")
    with pytest.raises(DestinationUnknown):
        payer.ask(5000, destination=payer.places["bob"].public_id)


def test_the_account_that_would_leave_is_one() -> None:
    """The tests above change it to another good one."""
    details = {"holder_name": "Eve", "iban": EXAMPLES["DE"]}
    assert checked_account(kind="iban", country="DE", currency="EUR", details=details).last4 == "3000"
