"""Blocks: one person stops money, another lets it go, and PostgreSQL sends nothing meanwhile."""

from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from core.approvals import FourEyesRequired
from core.audit_trail import ReasonRequired
from core.errors import InvalidState, NotFound
from core.ids import uuid7
from core.models import AuditRecord
from core.money import InvalidCurrency
from payouts.models import PayoutBlock
from payouts.selectors import list_blocks, standing_block
from payouts.services import lift_block, place_block
from payouts.types import BlockData
from tests.payouts.destinations.cast import ADDER, VERIFIER, Sellers, open_sellers

pytestmark = pytest.mark.database


def place(sellers: Sellers, **changes: Any) -> BlockData:
    options = {"seller_id": sellers.ann, "source": "finance", "reason": "a letter", "by": ADDER} | changes
    with transaction.atomic():
        return place_block(merchant_id=sellers.merchant_id, **options)


def lift(block: BlockData, **changes: Any) -> BlockData:
    options = {"by": VERIFIER, "reason": "it was a mistake"} | changes
    with transaction.atomic():
        return lift_block(block_id=block.id, **options)


def standing(sellers: Sellers, currency: str = "EUR", **changes: Any) -> Any:
    options = {"merchant_id": sellers.merchant_id, "seller_id": sellers.ann} | changes
    found = standing_block(currency=currency, **options)
    return found.id if found else None


def test_a_block_stops_whom_and_what_it_names(sellers: Sellers) -> None:
    other = open_sellers()
    euros = place(sellers, currency="EUR")
    assert standing(sellers) == euros.id
    assert standing(sellers, "USD") is standing(sellers, seller_id=sellers.bob) is standing(other) is None
    everything = place(sellers, seller_id=None)
    assert standing(sellers, "USD") == standing(sellers, seller_id=sellers.bob) == everything.id
    assert standing(other) is None
    assert [each.id for each in list_blocks(merchant_id=sellers.merchant_id)] == [euros.id, everything.id]
    lift(euros)
    lift(everything)
    assert standing(sellers) is None


def test_another_person_lets_it_go_and_once(sellers: Sellers) -> None:
    """I30: not who set it, and no key."""
    block = place(sellers)
    for by in (ADDER, f"key:{uuid7()}", "system"):
        with pytest.raises(FourEyesRequired):
            lift(block, by=by)
    with pytest.raises(ReasonRequired):
        lift(block, reason="")
    lifted = lift(block)
    assert (lifted.lifted_by, lifted.placed_by) == (VERIFIER, ADDER)
    with pytest.raises(InvalidState):
        lift(block)
    actions = AuditRecord.objects.filter(subject=f"payout_block:{block.id}").order_by("seq")
    assert list(actions.values_list("action", "actor")) == [
        ("payout_block.place", ADDER),
        ("payout_block.lift", VERIFIER),
    ]


def test_what_finds_the_same_reason_again_sets_one_block(sellers: Sellers) -> None:
    found = {"source": "reconciliation", "source_ref": "dsc_1", "by": "system"}
    first = place(sellers, **found)
    assert place(sellers, **found) == first
    lift(first, by=ADDER)
    assert place(sellers, **found).id != first.id
    assert PayoutBlock.objects.count() == 2


def test_what_is_refused(sellers: Sellers) -> None:
    with pytest.raises(NotFound):
        place(sellers, seller_id=open_sellers().ann)
    with pytest.raises(ReasonRequired):
        place(sellers, reason=" ")
    with pytest.raises(InvalidCurrency):
        place(sellers, currency="XXX")
    with pytest.raises(NotFound), transaction.atomic():
        lift_block(block_id=uuid7(), by=VERIFIER, reason="none")


@pytest.mark.parametrize(
    "columns",
    [
        f"lifted_at = now(), lifted_by = '{ADDER}'",
        "lifted_at = now()",
        "seller_id = NULL",
        "currency = 'USD'",
        "reason = 'another'",
        "placed_by = 'user:9'",
    ],
)
def test_the_database_refuses_what_the_services_never_do(sellers: Sellers, columns: str) -> None:
    """I30, by raw SQL."""
    place(sellers)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE payouts_payoutblock SET {columns}")


def test_a_block_that_was_lifted_stays_lifted(sellers: Sellers) -> None:
    lift(place(sellers))
    with pytest.raises(IntegrityError, match="was lifted already"), transaction.atomic():
        PayoutBlock.objects.update(lifted_at=None, lifted_by="")


@pytest.mark.parametrize(("seller", "currency"), [("ann", ""), ("ann", "EUR"), (None, ""), (None, "EUR")])
def test_nothing_is_sent_while_it_stands(
    sellers: Sellers, cooled: Any, seller: str | None, currency: str
) -> None:
    """F-F9: whatever the engine saw before."""
    payout = sellers.payout(sellers.verify(sellers.add()))
    cooled()
    block = place(sellers, seller_id=sellers.ann if seller else None, currency=currency)
    place(sellers, seller_id=sellers.bob)
    place(sellers, currency="USD")
    with pytest.raises(IntegrityError, match="is blocked"), transaction.atomic():
        sellers.send(payout)
    payout.refresh_from_db()
    lift(block)
    sellers.send(payout)
    assert payout.status == "EXECUTING"
