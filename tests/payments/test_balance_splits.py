"""Payments from any mix of wallets: whatever pays, the order becomes the same, to the last unit."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ledger.templates.capture import Share, Terms, split
from ledger.templates.splits import refund_parts
from payments.models import BalancePart, OrderShare
from tests.payments.conftest import Shop
from tests.payments.purses import open_purse
from tests.stateful.effort import examples

KINDS = st.permutations(["cash", "bonus", "points"])


@given(
    amount=st.integers(min_value=1, max_value=10**9),
    bps=st.integers(min_value=0, max_value=10_000),
    tax=st.integers(min_value=0, max_value=5_000),
    cuts=st.lists(st.floats(min_value=0, max_value=1), max_size=2),
)
def test_parts_become_what_the_order_becomes(amount: int, bps: int, tax: int, cuts: list[float]) -> None:
    """P2: seller, commission and tax of the parts add up to those of the order; no part is negative."""
    share: Share = split(
        amount_minor=amount, terms=Terms(commission_bps=bps, commission_fixed_minor=0, tax_bps=tax)
    )
    totals = (share.seller_net_minor, share.commission_minor, share.tax_minor)
    edges = [0, *sorted(int(cut * amount) for cut in cuts), amount]
    given_so_far = (0, 0, 0)
    for low, high in pairwise(edges):
        part = refund_parts(totals=totals, returned=given_so_far, amount_minor=high - low)
        assert sum(part) == high - low and min(part) >= 0
        given_so_far = tuple(a + b for a, b in zip(given_so_far, part, strict=True))  # type: ignore[assignment]
    assert given_so_far == totals


def test_any_mix_of_wallets_pays_any_amounts(counter: Shop) -> None:
    """W2b, W2c, W4: every order is paid whole by the kinds in their order, and splits as a card's would."""

    @examples(few=12, many=300)
    @given(
        price=st.integers(min_value=1, max_value=60_00),
        cash=st.integers(min_value=0, max_value=40_00),
        bonus=st.integers(min_value=0, max_value=20_00),
        points=st.integers(min_value=0, max_value=3_000),
        rate=st.integers(min_value=1, max_value=100),
        kinds=KINDS,
    )
    def run(price: int, cash: int, bonus: int, points: int, rate: int, kinds: list[str]) -> None:
        purse = open_purse(counter, cash=cash, rate=rate)
        for kind, amount in (("bonus", bonus), ("points", points)):
            if amount:
                purse.give(kind, amount)
        worth = cash + bonus + -(-points * rate // 100)
        order = counter.order(f"{price // 100}.{price % 100:02}")
        answer = counter.store.post("/v1/payments", purse.body(order, wallet_kinds=kinds), key=purse.buyer)
        assert answer.status_code == (201 if worth >= price else 422), answer.content
        if worth < price:
            return
        rows = BalancePart.objects.filter(order__payment_order_id=order["payment_order_id"])
        parts = list(rows.order_by("position"))
        assert sum(part.amount_minor for part in parts) == price
        assert [part.kind for part in parts] == [
            kind for kind in kinds if kind in {part.kind for part in parts}
        ]
        share = OrderShare.objects.get(order=parts[0].order)
        expected = split(
            amount_minor=price, terms=Terms(commission_bps=1000, commission_fixed_minor=0, tax_bps=2000)
        )
        assert (share.seller_net_minor, share.commission_minor, share.tax_minor) == (
            expected.seller_net_minor,
            expected.commission_minor,
            expected.tax_minor,
        )

    run()
