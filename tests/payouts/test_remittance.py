"""What a payout covers: everything since the payout before it, to the cent, and nothing twice."""

from decimal import Decimal
from typing import Any

import pytest

from core import clock
from core.models import OutboxEvent
from core.transactions import at_edge
from payouts.models import Payout
from payouts.selectors import remittance_of
from payouts.services import cancel_payout, record_return
from tests.ledger.books import Books
from tests.payouts.conftest import MAKER, Payer
from wallet.services import release_funds


def adds_up(told: dict[str, Any]) -> None:
    """Opening and what moved is the payout, its fee, and what was left."""
    moved = sum((Decimal(line["amount"]) for line in told["lines"]), Decimal(0))
    covered = sum(Decimal(told[name]) for name in ("amount", "fee", "left"))
    assert Decimal(told["opening"]) + moved == covered


def lines(told: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """How many and how much, by what they were."""
    return {line["what"]: (line["count"], line["amount"]) for line in told["lines"]}


def test_each_payout_covers_what_came_since_the_one_before(payer: Payer) -> None:
    """One that was taken back is none: what it held is covered by the next."""
    payer.trust(fixed_minor=100)
    first = payer.ask(5_000)
    told = remittance_of(payer.look(first))
    adds_up(told)
    assert (told["from"], told["opening"], told["left"]) == (None, "0.00", "949.00")
    assert lines(told) == {"opening_balance": (1, "1000.00")}

    payer.fill("ann", 700)
    payer.fill("ann", 300)
    undone = payer.ask(2_000)
    at_edge(cancel_payout)(merchant_id=payer.merchant_id, reference=undone.public_id, by=MAKER)
    second = payer.ask(3_000)
    told = remittance_of(payer.look(second))
    adds_up(told)
    assert lines(told) == {
        "opening_balance": (2, "10.00"),
        "payout_requested": (1, "-21.00"),
        "payout_cancelled": (1, "21.00"),
    }
    assert told["opening"] == "949.00" and told["from"] == remittance_of(payer.look(first))["until"]


def test_orders_are_named(payer: Payer) -> None:
    """What was released since, by the pay_… ids of the orders."""
    payer.trust()
    release(payer, "pay_1", 600)
    release(payer, "pay_2", 400)
    told = remittance_of(payer.look(payer.ask(900)))
    adds_up(told)
    assert (told["orders"], lines(told)["funds_released"]) == (["pay_1", "pay_2"], (2, "10.00"))


def test_the_event_of_a_paid_payout_carries_it(payer: Payer, hooks: Any) -> None:
    """And a payout that came back stands in the remittance of the next one."""
    payer.trust()
    first = payer.ask(5_000)
    payer.work()
    payer.paper.settle()
    payer.later(5)
    assert payer.look(first).status == "PAID"
    event = OutboxEvent.objects.get(subject=first.public_id, type="payout.paid")
    told = event.payload["object"]["remittance"]
    assert told == remittance_of(payer.look(first))
    assert told["reference"] == first.public_id.replace("_", "")
    at_edge(record_return)(merchant_id=payer.merchant_id, reference=first.public_id)
    told = remittance_of(payer.look(payer.ask(1_000)))
    adds_up(told)
    assert lines(told) == {"payout_return_credited": (1, "50.00")}


def test_what_was_never_held_covers_nothing(payer: Payer) -> None:
    """Nobody guesses."""
    payout = payer.look(payer.ask(5_000))
    stranger = Payout(id=payer.channel.id, merchant_id=payout.merchant_id, seller_id=payout.seller_id)
    with pytest.raises(LookupError):
        remittance_of(stranger)


def release(payer: Payer, reference: str, minor: int) -> None:
    """Let an order's money become available, as its release does."""
    Books("EUR", payer.merchant_id, payer.sellers["ann"]).fund(minor, role="seller_pending")
    at_edge(release_funds)(
        merchant_id=payer.merchant_id,
        wallet_id=payer.wallet().id,
        release_id=reference,
        amount_minor=minor,
        effective_date=clock.today(),
    )
