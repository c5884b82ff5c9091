"""Who covers what is taken from a seller (R4), and where it goes when it is given back (R3)."""

from dataclasses import astuple

from hypothesis import given
from hypothesis import strategies as st

from ledger.templates.accounts import SellerAccounts
from ledger.templates.cover import (
    Cover,
    Restored,
    SellerPart,
    cover_legs,
    decide_cover,
    decide_restored,
    restored_legs,
)

SELLER = SellerAccounts(pending=1, available=2, reserve=3, dispute_hold=4, payout_hold=5, receivable=6)
minor = st.integers(0, 10**12)


def test_the_order_of_cover() -> None:
    """The order's own pending, available, own reserve, then a debt."""
    there_is = {"pending_minor": 5, "available_minor": 10, "reserve_minor": 3}
    known = {
        0: Cover(0, 0, 0, 0),
        5: Cover(5, 0, 0, 0),
        6: Cover(5, 1, 0, 0),
        17: Cover(5, 10, 2, 0),
        18: Cover(5, 10, 3, 0),
        36: Cover(5, 10, 3, 18),
    }
    for amount, cover in known.items():
        assert decide_cover(amount_minor=amount, **there_is) == cover
    assert decide_cover(amount_minor=36_00, available_minor=10_00) == Cover(0, 10_00, 0, 26_00)


@given(minor, minor, minor, minor)
def test_a_cover_is_the_amount_and_breaks_no_floor(
    amount: int, pending: int, available: int, reserve: int
) -> None:
    """I07: nothing is taken that is not there; a debt is made only when everything else is used up."""
    cover = decide_cover(
        amount_minor=amount, pending_minor=pending, available_minor=available, reserve_minor=reserve
    )
    assert cover.total_minor == amount
    taken, there_is = astuple(cover)[:3], (pending, available, reserve)
    assert all(0 <= part <= have for part, have in zip(taken, there_is, strict=True))
    later = [*taken[1:], cover.receivable_minor]
    assert all(taken[at] == there_is[at] or not any(later[at:]) for at in range(3))
    legs = [leg for leg in cover_legs(SellerPart(SELLER, cover)) if leg.amount_minor]
    assert [leg.account_id for leg in legs] == [
        account for account, part in zip((1, 2, 3, 6), astuple(cover), strict=True) if part
    ]
    assert sum(leg.amount_minor for leg in legs) == amount


@given(minor, minor)
def test_a_debt_is_paid_before_money_is_available(amount: int, debt: int) -> None:
    """R3 credits the receivable up to what is outstanding, the rest to available."""
    restored = decide_restored(amount_minor=amount, receivable_minor=debt)
    assert restored == Restored(receivable_minor=min(amount, debt), available_minor=max(0, amount - debt))
    assert sum(leg.amount_minor for leg in restored_legs(SELLER, restored)) == -amount
